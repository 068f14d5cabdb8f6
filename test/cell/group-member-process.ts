/**
 * A member of a consumer group in a process of its own, so that it can be killed: `group-member.ts` starts it and hears
 * of all it does. It processes a record (by telling of it) before it commits its offset, one after the other.
 */
import { Consumer, findErrorBy, stringDeserializers } from "@platformatic/kafka";
import { Kafka, logLevel } from "kafkajs";
import type { MemberEvent, MemberSettings } from "./group-member.ts";

const settings = JSON.parse(process.argv[2] ?? "") as MemberSettings;
const { groupId, topic, sessionTimeoutMs, connection, clientId } = settings;
const heartbeatMs = 100;
const fetchWaitMs = 100;
/** The library wants it no shorter than the session. */
const rebalanceTimeoutMs = 30_000;
const retries = 100;
const retryMs = 100;

/** Resolves when the test has it for sure: what is told before a kill arrives. */
function tell(event: MemberEvent): Promise<void> {
  return new Promise((resolve) => process.send?.(event, undefined, {}, () => resolve()));
}

async function fail(error: unknown): Promise<void> {
  await tell({ kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exit(1);
}

async function runKafkajs(): Promise<() => Promise<void>> {
  const { secure } = connection;
  const kafka = new Kafka({
    clientId,
    brokers: [...connection.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: retryMs, maxRetryTime: 500, retries },
    ...(secure === undefined
      ? {}
      : {
          ssl: { ca: [secure.authority] },
          sasl: { mechanism: "plain", username: secure.username, password: secure.password },
        }),
  });
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: fetchWaitMs,
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    void tell({ kind: "assigned", partitions: payload.memberAssignment[topic] ?? [] });
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) void fail(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const offset = Number(message.offset);
      await tell({ kind: "processed", partition, offset, value: String(message.value) });
      await consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }]);
      await tell({ kind: "committed", partition, next: offset + 1 });
    },
  });
  return () => consumer.disconnect();
}

/** False when the group was formed anew meanwhile: then whoever has the partition now begins where it was committed before. */
async function committed(commit: Promise<void> | void): Promise<boolean> {
  try {
    await commit;
    return true;
  } catch (error) {
    if (findErrorBy(error as Error, "needsRejoin", true) === null) throw error;
    return false;
  }
}

async function runPlatformatic(): Promise<() => Promise<void>> {
  const { secure } = connection;
  const consumer = new Consumer({
    clientId,
    groupId,
    bootstrapBrokers: [...connection.bootstrap],
    retries,
    retryDelay: retryMs,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTime: fetchWaitMs,
    autocommit: false,
    deserializers: stringDeserializers,
    ...(secure === undefined
      ? {}
      : {
          tls: { ca: [secure.authority] },
          sasl: { mechanism: "PLAIN", username: secure.username, password: secure.password },
        }),
  });
  consumer.on("consumer:group:join", ({ assignments }) => {
    void tell({ kind: "assigned", partitions: (assignments ?? []).flatMap(({ partitions }) => partitions) });
  });
  const stream = await consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest" });
  const reading = (async () => {
    for await (const message of stream) {
      const { partition, offset, value } = message;
      await tell({ kind: "processed", partition, offset: Number(offset), value: String(value) });
      if (await committed(message.commit())) await tell({ kind: "committed", partition, next: Number(offset) + 1 });
    }
  })();
  reading.catch(fail);
  return () => consumer.close(true);
}

try {
  const leave = settings.library === "kafkajs" ? await runKafkajs() : await runPlatformatic();
  process.on("message", () => {
    void (async () => {
      await leave();
      await tell({ kind: "left" });
      process.exit(0);
    })().catch(fail);
  });
  process.on("disconnect", () => process.exit(0));
} catch (error) {
  await fail(error);
}
