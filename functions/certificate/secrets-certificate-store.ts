import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { CertificateStore } from "./certificate-keeper.ts";
import { callAttemptsMax } from "./limits.ts";

/** A secret of Secrets Manager; region, credentials and endpoint as the AWS SDK finds them. */
export class SecretsCertificateStore implements CertificateStore {
  readonly #client = new SecretsManagerClient({ maxAttempts: callAttemptsMax });
  readonly #arn: string;

  constructor(arn: string) {
    this.#arn = arn;
  }

  async read(): Promise<string | undefined> {
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: this.#arn }));
      return SecretString;
    } catch (error) {
      // A secret without any version is told in this way too.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async write(text: string): Promise<void> {
    await this.#client.send(new PutSecretValueCommand({ SecretId: this.#arn, SecretString: text }));
  }
}
