/**
 * What makes a certificate one that brokers can use, and when the secret needs another version. Decisions only: what is
 * exported, what the secret holds and what time it is come in as values. No refusal repeats a key or a passphrase.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { CertificateSecret } from "../../shared/container/certificate-secret.ts";
import { passphraseBytes } from "./limits.ts";

/** A certificate as ACM exports it: PEM, its key encrypted under the passphrase that the caller chose. */
export interface ExportedCertificate {
  readonly certificate: string;
  /** What signed it, up to but without the root; empty when there is nothing between. */
  readonly chain: string;
  readonly encryptedKey: string;
}

export interface Wanted {
  /** Names that the certificate must be good for, such as `*.kafka.example.com`. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

export type Opened =
  | { readonly kind: "opened"; readonly secret: CertificateSecret }
  | { readonly kind: "refused"; readonly why: string };

export type Judgement =
  | { readonly kind: "usable"; readonly endsMs: number }
  /** `endsMs`: undefined when the text is no certificate. */
  | { readonly kind: "refused"; readonly why: string; readonly endsMs: number | undefined };

/** Text of random bytes without `#`, `$` and `%`, which ACM refuses. */
export function passphraseOf(bytes: Buffer): string {
  if (bytes.length < passphraseBytes) throw new Error("a passphrase needs more random bytes");
  return bytes.toString("base64url");
}

/** Decrypts the key, and puts certificate and chain together as servers present them. */
export function openExport(exported: ExportedCertificate, passphrase: string): Opened {
  const key = keyOf(exported.encryptedKey, passphrase);
  if (key === undefined) return { kind: "refused", why: "the exported key does not open with its passphrase" };
  const certificate = [exported.certificate, exported.chain]
    .map((pem) => pem.trim())
    .filter((pem) => pem !== "")
    .map((pem) => `${pem}\n`)
    .join("");
  return {
    kind: "opened",
    secret: { certificate, privateKey: key.export({ type: "pkcs8", format: "pem" }).toString() },
  };
}

/** Whether clients that trust its issuer would accept a broker with this certificate, now and under each name. */
export function judgeCertificate({ certificate, privateKey }: CertificateSecret, { names, nowMs }: Wanted): Judgement {
  const server = certificateOf(certificate);
  if (server === undefined) return { kind: "refused", why: "it is no X.509 certificate", endsMs: undefined };
  const endsMs = server.validToDate.getTime();
  const refused = (why: string): Judgement => ({ kind: "refused", why, endsMs });
  const key = keyOf(privateKey);
  if (key === undefined) return refused("its private key cannot be read: is it encrypted?");
  if (!server.checkPrivateKey(key)) return refused("its private key belongs to another certificate");
  if (server.validFromDate.getTime() > nowMs) return refused("it is not valid yet");
  if (endsMs <= nowMs) return refused("it has expired");
  const missing = names.filter((name) => !covers(server, name));
  if (missing.length > 0) return refused(`it is not for ${missing.join(" and ")}`);
  return { kind: "usable", endsMs };
}

/** Whether the secret is to get a new version; `kept` undefined: what is in it is no certificate yet. */
export function isChanged(kept: CertificateSecret | undefined, opened: CertificateSecret): boolean {
  return kept?.certificate !== opened.certificate || kept.privateKey !== opened.privateKey;
}

/** As clients match: a wildcard stands for one label, and the common name does not count. */
function covers(server: X509Certificate, name: string): boolean {
  return server.checkHost(name.replace("*", "b1-lkc-any"), { subject: "never", partialWildcards: false }) !== undefined;
}

/** Undefined when it cannot be read: OpenSSL's own errors say nothing that an operator could use. */
function keyOf(key: string, passphrase?: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    return undefined;
  }
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
