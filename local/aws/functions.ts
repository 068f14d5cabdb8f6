import type { EmulatorClient } from "./emulator-client.ts";

interface OperatorKey {
  readonly keyId: string;
  readonly secret: string;
}

/** Invokes a function. Errors: an Error with what it threw, `EmulatorError`. */
export async function invokeFunction(client: EmulatorClient, functionName: string): Promise<object> {
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const answer = JSON.parse(await client.rest("lambda", "POST", path, "{}")) as object | null;
  // What a function throws is answered with status 200.
  if (answer !== null && "errorMessage" in answer) throw new Error(`${functionName}: ${String(answer.errorMessage)}`);
  return answer ?? {};
}

/** Invokes the function that makes the fleet's first key, and reads it from the secret that its answer names. */
export async function ensureOperatorKey(client: EmulatorClient, functionName: string): Promise<OperatorKey> {
  const answer: { readonly secretArn?: string } = await invokeFunction(client, functionName);
  if (answer.secretArn === undefined) {
    throw new Error(`${functionName} made no operator's key: ${JSON.stringify(answer)}`);
  }
  const { SecretString } = await client.json("secretsmanager", "secretsmanager.GetSecretValue", {
    SecretId: answer.secretArn,
  });
  return JSON.parse(String(SecretString)) as OperatorKey;
}
