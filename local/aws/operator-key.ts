import type { EmulatorClient } from "./emulator-client.ts";

interface OperatorKey {
  readonly keyId: string;
  readonly secret: string;
}

/** Invokes the function that makes the fleet's first key, and reads it from the secret that its answer names. */
export async function ensureOperatorKey(client: EmulatorClient, functionName: string): Promise<OperatorKey> {
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const answer = JSON.parse(await client.rest("lambda", "POST", path, "{}")) as { readonly secretArn?: string };
  if (answer.secretArn === undefined) {
    throw new Error(`${functionName} made no operator's key: ${JSON.stringify(answer)}`);
  }
  const { SecretString } = await client.json("secretsmanager", "secretsmanager.GetSecretValue", {
    SecretId: answer.secretArn,
  });
  return JSON.parse(String(SecretString)) as OperatorKey;
}
