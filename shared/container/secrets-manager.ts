import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

/** Reads secrets of AWS Secrets Manager by ARN; region, credentials and endpoint as the AWS SDK finds them. */
export class SecretsManager {
  readonly #client = new SecretsManagerClient({});

  /** Errors: the SDK's, and an Error for a secret that has no text yet. */
  async read(arn: string): Promise<string> {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: arn }));
    if (SecretString === undefined || SecretString === "") throw new Error(`the secret ${arn} is empty`);
    return SecretString;
  }
}
