import { createPrivateKey } from "node:crypto";
import type { ExportedCertificate } from "../../../../functions/certificate/certificate-core.ts";
import { issueAuthority, issueServerCertificate } from "../../../../local/tls/issue.ts";

export const dayMs = 86_400_000;
/** A whole second: certificates know no fractions. */
export const nowMs = 1_800_000_000_000;
export const names = ["*.kafka.example.com", "*.eu-west-1a.kafka.example.com"];

export interface Issued {
  readonly certificate: string;
  readonly chain: string;
  readonly privateKey: string;
}

/** A certificate as an authority would issue it; good for a hundred days from `nowMs` when nothing else is asked. */
export async function issue({
  certificateNames = names,
  notBeforeMs = nowMs - dayMs,
  notAfterMs = nowMs + 100 * dayMs,
}: {
  readonly certificateNames?: readonly string[];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
} = {}): Promise<Issued> {
  const authority = await issueAuthority({ notBeforeMs: nowMs - 10 * dayMs, notAfterMs: nowMs + 3_000 * dayMs });
  const server = await issueServerCertificate({
    authorityPem: authority.certificatePem,
    authorityKeyPem: authority.keyPem,
    names: certificateNames,
    addresses: [],
    notBeforeMs,
    notAfterMs,
  });
  return { certificate: server.certificatePem, chain: authority.certificatePem, privateKey: server.keyPem };
}

/** As ACM hands it out. */
export function exportUnder(passphrase: string, { certificate, chain, privateKey }: Issued): ExportedCertificate {
  const encryptedKey = createPrivateKey(privateKey)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
  return { certificate, chain, encryptedKey };
}
