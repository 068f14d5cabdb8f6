import { afterEach, describe, expect, test } from "vitest";
import { KafkaServer } from "../../../../broker/connection/kafka-server.ts";
import { fetch } from "../../../../shared/kafka/schema/fetch.ts";
import { produce } from "../../../../shared/kafka/schema/produce.ts";
import { plainLkc, RunningServer, until } from "./running-server.ts";
import { fetchAll, produceTimeoutMs, records } from "./wire-requests.ts";

let running: RunningServer | undefined;
afterEach(async () => {
  await running?.stopClean();
  running = undefined;
});

async function start() {
  const started = await RunningServer.start();
  running = started;
  return { broker: started.broker, server: started.server, connect: () => started.connect() };
}

describe("stopping", () => {
  test("requests in flight are answered first", async () => {
    const { broker, server, connect } = await start();
    const topic = broker.topic(plainLkc, "t");
    topic.hosted[0]!.commitsAtOnce = false;
    const [producer, consumer] = [await connect(), await connect()];
    const produced = producer.call(produce, 9, records("a"));
    const fetched = consumer.call(fetch, 11, fetchAll("t", 60_000));
    await until(() => topic.hosted[0]!.appended.length === 1, "appended");
    const stopped = server.stop(produceTimeoutMs);
    expect((await fetched).responses[0]?.partitions[0]?.errorCode).toBe(0);
    topic.hosted[0]!.commit();
    expect((await produced).responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    await Promise.all([stopped, producer.closed, consumer.closed]);
    expect(server.connections).toBe(0);
  });

  test("but not longer than allowed", async () => {
    const { broker, server, connect } = await start();
    const topic = broker.topic(plainLkc, "t");
    topic.hosted[0]!.commitsAtOnce = false;
    const client = await connect();
    client.send(produce, 9, records("a"));
    await until(() => topic.hosted[0]!.appended.length === 1, "appended");
    const startedMs = performance.now();
    await server.stop(100);
    // Far more than it may take, for a machine that stands still; far less than the request itself would wait.
    expect(performance.now() - startedMs).toBeLessThan(produceTimeoutMs / 2);
    await client.closed;
    topic.hosted[0]!.commit();
    await until(() => server.memoryBytes === 0, "the request gives its memory back when it ends");
  });

  test("a port that is taken is named", async () => {
    const { server, broker } = await start();
    const port = server.port("plaintext");
    const security = { kind: "plaintext", lkc: plainLkc, principal: "User:anonymous" } as const;
    const second = new KafkaServer({ listeners: [{ name: "p", host: "127.0.0.1", port, security }], services: broker });
    await expect(second.start()).rejects.toMatchObject({ code: "EADDRINUSE", port });
  });
});
