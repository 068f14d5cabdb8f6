import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { platformatic } from "./platformatic-client.ts";
import { makeSpreadTopic } from "./spread-topic.ts";
import type { ConnectionSettings, TestClient } from "./test-client.ts";

let cloud: LocalCloudProcess;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--set", "num.partitions=3"]);
});
afterAll(() => cloud.dispose());

const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe.each([kafkajs, platformatic])("$name", (library) => {
  const clients: TestClient[] = [];
  const connect = (settings: ConnectionSettings, clientId = "test") => {
    const client = library.connect(settings, clientId);
    clients.push(client);
    return client;
  };
  afterAll(async () => {
    for (const client of clients) await client.close();
  });
  const topicName = (subject: string) => `${subject}-${library === kafkajs ? "kafkajs" : "platformatic"}`;

  test("what is produced is consumed, in order, partition by partition", async () => {
    const client = connect(cloud.plaintext);
    const topic = topicName("plain");
    await client.createTopic(topic, 3);
    const producer = await client.producer({ idempotent: false });
    for (const partition of [0, 1, 2]) await producer.send(topic, numbered(500, `p${partition}`), partition);
    await producer.send(topic, ["one more"], 1);
    await producer.close();
    for (const partition of [0, 1, 2]) {
      const records = await client.readAll(topic, partition);
      const expected = [...numbered(500, `p${partition}`), ...(partition === 1 ? ["one more"] : [])];
      // A producer that is not idempotent sends again what was not acknowledged when a leader fell away.
      expect([...new Set(records.map(({ value }) => value))]).toEqual(expected);
      expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    }
  });

  test("the partitions of a topic are led by several brokers", async () => {
    const client = connect(cloud.plaintext);
    await makeSpreadTopic(client, topicName("spread"), { partitions: 3, leaders: 2 });
  });

  test("a topic is made by the first record, with the cell's num.partitions", async () => {
    const client = connect(cloud.plaintext);
    const topic = topicName("auto-created");
    const producer = await client.producer({ idempotent: false });
    await producer.send(topic, ["first"], 2);
    await producer.close();
    expect(await client.leaders(topic)).toHaveLength(3);
    const records = await client.readAll(topic, 2);
    expect(records[0]).toEqual({ offset: 0, value: "first" });
    // As above.
    expect(new Set(records.map(({ value }) => value))).toEqual(new Set(["first"]));
  });

  test("an idempotent producer's records are there once", async () => {
    const client = connect(cloud.plaintext);
    const topic = topicName("idempotent");
    await client.createTopic(topic, 1);
    const producer = await client.producer({ idempotent: true });
    for (const value of numbered(50, "once")) await producer.send(topic, [value], 0);
    await producer.close();
    expect((await client.readAll(topic, 0)).map(({ value }) => value)).toEqual(numbered(50, "once"));
  });

  test("SASL_SSL with the key of client.properties reaches the same logical cluster as plaintext", async () => {
    const topic = topicName("secure");
    const client = connect(cloud.secure(cloud.devCredentials));
    await client.createTopic(topic, 1);
    const producer = await client.producer({ idempotent: true });
    await producer.send(topic, numbered(100, "tls"), 0);
    await producer.close();
    expect((await client.readAll(topic, 0)).map(({ value }) => value)).toEqual(numbered(100, "tls"));
    expect((await connect(cloud.plaintext).readAll(topic, 0)).length).toBe(100);
  });

  test("two tenants with the same topic and client names never meet", async () => {
    const topic = topicName("shared-name");
    const tenants = [await cloud.makeTenant("red"), await cloud.makeTenant("blue")] as const;
    const [red, blue] = tenants.map((tenant) => connect(cloud.secure(tenant), "same-client-id"));
    for (const [client, values] of [
      [red, ["red 1", "red 2"]],
      [blue, ["blue 1"]],
    ] as const) {
      await client?.createTopic(topic, 1);
      const producer = await client?.producer({ idempotent: true });
      await producer?.send(topic, values, 0);
      await producer?.close();
    }
    expect((await red?.readAll(topic, 0))?.map(({ value }) => value)).toEqual(["red 1", "red 2"]);
    expect((await blue?.readAll(topic, 0))?.map(({ value }) => value)).toEqual(["blue 1"]);
    expect(await red?.topics()).toEqual([topic]);
    expect(await connect(cloud.plaintext).topics()).not.toContain(topic);
  });

  test("a wrong secret, and another tenant's, are refused with Kafka's own error", async () => {
    const { keyId } = cloud.devCredentials;
    const other = await cloud.makeTenant("green");
    for (const credentials of [
      { keyId, secret: "bls1_wrong" },
      { keyId, secret: other.secret },
      { keyId: "NOSUCHKEY", secret: other.secret },
    ]) {
      const client = library.connect(cloud.secure(credentials), "intruder", "none");
      const failure: unknown = await client.topics().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(describeCauses(failure)).toMatch(/SASL.*authentication failed|Authentication failed/i);
      await client.close().catch(() => undefined);
    }
  });
});

/** All messages of an error and of what is inside it. */
function describeCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors.map(describeCauses) : [];
  return [error.name, error.message, ...inner, error.cause === undefined ? "" : describeCauses(error.cause)].join(
    " | ",
  );
}
