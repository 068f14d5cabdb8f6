/**
 * The Lambda that makes a fleet's first key: an operator's, without which nobody could call the API. Invoked by the operator
 * once (README); invoked again it changes nothing while the key stands. The key goes into a secret, never into the answer.
 */
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Credentials } from "../provisioning/authentication.ts";
import { awsControlPlane } from "../provisioning/aws-control-plane.ts";
import { functionConfig, operatorKeySecretArn } from "../provisioning/config.ts";
import { ensureOperatorKey } from "../provisioning/operator-key.ts";

const plane = awsControlPlane(functionConfig(), "operator-key");
const secrets = new SecretsManagerClient({});
const SecretId = operatorKeySecretArn();

export async function handler(): Promise<{ readonly keyId: string; readonly secretArn: string }> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const { keyId } = await ensureOperatorKey(plane, keptIn(SecretString), async (made) => {
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(made) }));
  });
  return { keyId, secretArn: SecretId };
}

function keptIn(text: string | undefined): Credentials | undefined {
  try {
    const { keyId, secret } = JSON.parse(text ?? "") as Partial<Credentials>;
    return keyId === undefined || secret === undefined ? undefined : { keyId, secret };
  } catch {
    // What CloudFormation put there when it made the secret.
    return undefined;
  }
}
