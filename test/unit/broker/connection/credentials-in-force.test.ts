import { afterEach, expect, test } from "vitest";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { metadata } from "../../../../shared/kafka/schema/metadata.ts";
import type { MetadataRecord } from "../../../../shared/metadata/records/record.ts";
import { plainLkc, RunningServer, secureLkc } from "./running-server.ts";

let running: RunningServer | undefined;
afterEach(async () => {
  await running?.stopClean();
  running = undefined;
});

async function start(): Promise<RunningServer> {
  running = await RunningServer.start();
  return running;
}

const allTopics = { topics: null };

test("an idle connection ends when its key is deleted or expires, or its logical cluster is closed", async () => {
  const server = await start();
  const { broker, key } = server;
  const present = broker.image().apiKeys.get(key.keyId)!;
  const cluster = broker.image().logicalClusters.get(secureLkc)!;
  const changes: readonly (readonly [MetadataRecord, MetadataRecord])[] = [
    [{ type: "api-key-deleted", keyId: key.keyId }, present],
    [{ ...present, expiresMs: 1 }, present],
    [{ ...cluster, closedMs: 1 }, cluster],
  ];
  for (const [change, undo] of changes) {
    const client = await server.connectTls();
    await client.authenticate(key.keyId, key.secret);
    broker.apply(change);
    await client.closed;
    const refused = await server.connectTls();
    expect((await refused.authenticate(key.keyId, key.secret)).errorCode).toBe(errorCode.SASL_AUTHENTICATION_FAILED);
    await refused.closed;
    broker.apply(undo);
  }
  const plain = await server.connect();
  await plain.call(metadata, 9, allTopics);
  broker.apply({ ...broker.image().logicalClusters.get(plainLkc)!, closedMs: 1 });
  await plain.closed;
});

test("a key that this broker has not heard of yet is looked for before it is refused", async () => {
  const server = await start();
  const { broker, key } = server;
  const present = broker.image().apiKeys.get(key.keyId)!;
  broker.apply({ type: "api-key-deleted", keyId: key.keyId });
  broker.refresh = () => broker.apply(present);
  const client = await server.connectTls();
  expect((await client.authenticate(key.keyId, key.secret)).errorCode).toBe(0);
  client.close();
});
