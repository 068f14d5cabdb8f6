import { cellSecretBytesMin } from "../ports/peer-handshake-core.ts";
import { cellSecretsMax } from "./limits.ts";

/** By which brokers of a cell prove themselves to one another: a broker proves with the first one, and believes all. */
export type CellSecrets = readonly [Buffer, ...Buffer[]];

/**
 * One secret a line, as they are in the cell's secret. Several stand there while one is exchanged for another:
 * docs/runbooks/rotate-secrets.md has the order. Errors: an Error that says what is wrong, without the secret.
 */
export function parseCellSecrets(content: Buffer): CellSecrets {
  const lines = content
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [first, ...others] = lines.map((line) => Buffer.from(line));
  if (first === undefined) throw new Error("the cell's secret is empty");
  if (lines.length > cellSecretsMax)
    throw new Error(`the cell's secret has ${lines.length} lines, at most ${cellSecretsMax} are taken`);
  const secrets: CellSecrets = [first, ...others];
  for (const secret of secrets) {
    if (secret.length < cellSecretBytesMin)
      throw new Error(
        `the cell's secret has a line of ${secret.length} bytes, at least ${cellSecretBytesMin} are needed`,
      );
  }
  return secrets;
}
