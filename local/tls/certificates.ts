import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { writePrivateFile } from "../data-directory.ts";
import { localDomain, localZones } from "../routed-names.ts";

/** PEM files of the cell's TLS listeners. */
export interface CertificateFiles {
  /** What clients trust: the certificate of the authority that was made for this data directory. */
  readonly authorityFile: string;
  /** The server's certificate. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Names that a client may call a broker by; the wildcards are for addresses by logical cluster (DESIGN section 9). */
export const serverNames: readonly string[] = [
  "localhost",
  localDomain,
  `*.${localDomain}`,
  ...localZones.map((zone) => `*.${zone}.${localDomain}`),
];
export const serverAddresses = ["127.0.0.1", "::1"] as const;

const dayMs = 24 * 60 * 60 * 1000;
/** Clients refuse server certificates that are valid for longer. */
const serverDays = 397;
const authorityDays = 3650;
/** A certificate that would end sooner is replaced at start. */
const renewBeforeDays = 60;

/**
 * Makes the authority once and the server's certificate when there is none, when it ends soon or does not fit the
 * authority or the names any more. A client that trusts the authority goes on after a renewal.
 */
export async function ensureCertificates(
  directory: string,
  nowMs: number,
  names: readonly string[] = serverNames,
): Promise<CertificateFiles> {
  const files = {
    authorityFile: path.join(directory, "ca.pem"),
    certificateFile: path.join(directory, "server.pem"),
    keyFile: path.join(directory, "server.key"),
  };
  const authorityKeyFile = path.join(directory, "ca.key");
  if (!isUsable(files.authorityFile, authorityKeyFile, nowMs)) {
    const { issueAuthority } = await import("./issue.ts");
    const issued = await issueAuthority({ notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + authorityDays * dayMs });
    writePrivateFile(authorityKeyFile, issued.keyPem);
    writePrivateFile(files.authorityFile, issued.certificatePem);
  }
  if (!isUsable(files.certificateFile, files.keyFile, nowMs) || !fits(files, names)) {
    // Loaded only when needed: the library costs more than all else at a start.
    const { issueServerCertificate } = await import("./issue.ts");
    const issued = await issueServerCertificate({
      authorityPem: readFileSync(files.authorityFile, "utf8"),
      authorityKeyPem: readFileSync(authorityKeyFile, "utf8"),
      names,
      addresses: serverAddresses,
      notBeforeMs: nowMs - dayMs,
      notAfterMs: nowMs + serverDays * dayMs,
    });
    writePrivateFile(files.keyFile, issued.keyPem);
    writePrivateFile(files.certificateFile, issued.certificatePem);
  }
  return files;
}

function isUsable(certificateFile: string, keyFile: string, nowMs: number): boolean {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return false;
  const certificate = readCertificate(certificateFile);
  return certificate !== undefined && Date.parse(certificate.validTo) - nowMs > renewBeforeDays * dayMs;
}

function fits(files: CertificateFiles, names: readonly string[]): boolean {
  const authority = readCertificate(files.authorityFile);
  const server = readCertificate(files.certificateFile);
  if (authority === undefined || server === undefined || !server.verify(authority.publicKey)) return false;
  const has = server.subjectAltName ?? "";
  return names.every((name) => has.includes(`DNS:${name}`));
}

/** Undefined when the file is no certificate: it is made anew. */
function readCertificate(file: string): X509Certificate | undefined {
  try {
    return new X509Certificate(readFileSync(file));
  } catch {
    return undefined;
  }
}
