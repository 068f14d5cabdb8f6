import type { Timers } from "../ports/timers.ts";
import { parseCertificateSecret } from "./certificate-secret.ts";
import { replacePrivateFile } from "./private-file.ts";
import { keepSecretFresh } from "./secret-refresh.ts";

export interface CertificateFilesOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The secret's text. */
  readonly readSecret: () => Promise<string>;
  readonly timers: Timers;
  /** A renewal could not be read; what was there before stays in use. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Writes the certificate and key of a secret to files, now and whenever it was renewed; whoever serves with them watches the
 * files. Rejects when there is no certificate to begin with.
 */
export async function keepCertificateFiles(options: CertificateFilesOptions): Promise<void> {
  await keepSecretFresh({
    ...options,
    write: async (text) => {
      const { certificate, privateKey } = parseCertificateSecret(text);
      await replacePrivateFile(options.keyFile, privateKey);
      await replacePrivateFile(options.certificateFile, certificate);
    },
  });
}
