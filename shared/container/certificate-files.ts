import { rename, writeFile } from "node:fs/promises";
import type { Timers } from "../ports/timers.ts";
import { parseCertificateSecret } from "./certificate-secret.ts";

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

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
