import { expect } from "vitest";
import type { TestClient } from "./test-client.ts";

/**
 * Makes topics until the partitions of one have so many different leaders, and resolves with its name: one that is made while
 * a busy machine's brokers seem dead to one another is led by those that do not.
 */
export async function makeSpreadTopic(
  client: TestClient,
  subject: string,
  shape: { readonly partitions: number; readonly leaders: number },
): Promise<string> {
  let made = 0;
  const nameOf = () => `${subject}-${made}`;
  const leadersOfAnother = async () => {
    made += 1;
    await client.createTopic(nameOf(), shape.partitions);
    return new Set(await client.leaders(nameOf())).size;
  };
  await expect.poll(leadersOfAnother, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(shape.leaders);
  return nameOf();
}
