import { rename, writeFile } from "node:fs/promises";
import type { Timers } from "../ports/timers.ts";

/** What the certificate's secret holds: PEM, the certificate with its chain. */
interface CertificateSecret {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface CertificateFilesOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The secret's text. */
  readonly readSecret: () => Promise<string>;
  readonly timers: Timers;
  /** A renewal could not be read; what was there before stays in use. */
  readonly onFailed: (error: unknown) => void;
}

/** How often a renewed certificate is looked for. */
const refreshMs = 600_000;

/**
 * Writes the certificate and key of a secret to files, now and whenever it was renewed; whoever serves with them watches the
 * files. Rejects when there is no certificate to begin with.
 */
export async function keepCertificateFiles(options: CertificateFilesOptions): Promise<void> {
  let written = "";
  const refresh = async () => {
    const text = await options.readSecret();
    if (text === written) return;
    const { certificate, privateKey } = parseCertificateSecret(text);
    await replaceFile(options.keyFile, privateKey);
    await replaceFile(options.certificateFile, certificate);
    written = text;
  };
  const again = () => {
    options.timers.after(refreshMs, () => {
      refresh().catch(options.onFailed).finally(again);
    });
  };
  await refresh();
  again();
}

/** Errors: an Error that says what is wrong, without the secret's text. */
export function parseCertificateSecret(text: string): CertificateSecret {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('the certificate\'s secret is not JSON: {"certificate": PEM, "privateKey": PEM} is expected');
  }
  const { certificate, privateKey } = (value ?? {}) as Partial<CertificateSecret>;
  if (typeof certificate !== "string" || !certificate.includes("-----BEGIN CERTIFICATE-----"))
    throw new Error('"certificate" of the certificate\'s secret is no PEM certificate');
  if (typeof privateKey !== "string" || !privateKey.includes("PRIVATE KEY-----"))
    throw new Error('"privateKey" of the certificate\'s secret is no PEM key');
  return { certificate, privateKey };
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
