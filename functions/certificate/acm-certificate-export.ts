import { ACMClient, ExportCertificateCommand } from "@aws-sdk/client-acm";
import type { ExportedCertificate } from "./certificate-core.ts";
import type { CertificateExport } from "./certificate-keeper.ts";
import { callAttemptsMax } from "./limits.ts";

/** An exportable certificate of AWS Certificate Manager; region, credentials and endpoint as the AWS SDK finds them. */
export class AcmCertificateExport implements CertificateExport {
  readonly #client = new ACMClient({ maxAttempts: callAttemptsMax });
  readonly #arn: string;

  constructor(arn: string) {
    this.#arn = arn;
  }

  async exportCertificate(passphrase: string): Promise<ExportedCertificate> {
    const { Certificate, CertificateChain, PrivateKey } = await this.#client.send(
      new ExportCertificateCommand({ CertificateArn: this.#arn, Passphrase: Buffer.from(passphrase) }),
    );
    if (Certificate === undefined || PrivateKey === undefined)
      throw new Error("ACM exported no certificate, or no key");
    return { certificate: Certificate, chain: CertificateChain ?? "", encryptedKey: PrivateKey };
  }
}
