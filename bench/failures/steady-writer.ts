/** Records at a constant rate, acks=all, idempotent, one producer a partition; and a reader that checks them all. */
import { Admin, Consumer, ListOffsetTimestamps, ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";

/** A request that is not answered for this long is sent again, to whoever leads then. */
export const requestTimeoutMs = 1_500;
const retryDelayMs = 50;
const retriesMax = 400;
const recordBytes = 1_024;
const flushIntervalMs = 5;
const readBytesMax = 8 * 1024 * 1024;

export interface Written {
  readonly number: number;
  readonly dueMs: number;
  /** When it was acknowledged; undefined while it was not. */
  ackedMs: number | undefined;
}

export function clientOptions(bootstrap: readonly string[]) {
  return {
    clientId: "failures",
    bootstrapBrokers: [...bootstrap],
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    connectTimeout: requestTimeoutMs,
    retries: retriesMax,
    retryDelay: retryDelayMs,
  };
}

/** Writes `perSecond` records a second to one partition until it is stopped; a record's value begins with its number. */
export class SteadyWriter {
  readonly written: Written[] = [];
  failed = 0;
  readonly #producer: Producer<string, string, string, string>;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(bootstrap: readonly string[], topic: string, partition: number, perSecond: number) {
    const options = { ...clientOptions(bootstrap), serializers: stringSerializers };
    this.#producer = new Producer({ ...options, idempotent: true, maxInflights: 1 });
    this.#running = this.#run(topic, partition, perSecond);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#producer.close();
  }

  async #run(topic: string, partition: number, perSecond: number): Promise<void> {
    const startMs = performance.now();
    const padding = "x".repeat(recordBytes);
    while (!this.#stopped) {
      const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
      const batch: Written[] = [];
      for (let number = this.written.length; number < due; number++) {
        const record = { number, dueMs: startMs + (number * 1_000) / perSecond, ackedMs: undefined };
        this.written.push(record);
        batch.push(record);
      }
      if (batch.length > 0) {
        const messages = batch.map(({ number }) => ({ topic, partition, value: `${number} ${padding}` }));
        try {
          await this.#producer.send({ messages, acks: ProduceAcks.ALL });
          for (const record of batch) record.ackedMs = performance.now();
        } catch {
          this.failed += batch.length;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, flushIntervalMs));
    }
  }
}

export interface Checked {
  readonly lost: number;
  readonly doubled: number;
  readonly misplaced: number;
}

/** Reads a partition from its start to its end, and compares. */
export async function check(
  bootstrap: readonly string[],
  from: { readonly topic: string; readonly partition: number; readonly written: readonly Written[] },
): Promise<Checked> {
  const numbers = await readNumbers(bootstrap, from.topic, from.partition);
  const seen = new Set(numbers);
  return {
    lost: from.written.filter(({ number, ackedMs }) => ackedMs !== undefined && !seen.has(number)).length,
    doubled: numbers.length - seen.size,
    misplaced: numbers.filter((number, place) => place > 0 && number < (numbers[place - 1] ?? 0)).length,
  };
}

async function readNumbers(bootstrap: readonly string[], topic: string, partition: number): Promise<number[]> {
  const reader = new Consumer({ ...clientOptions(bootstrap), groupId: "unused" });
  const admin = new Admin(clientOptions(bootstrap));
  try {
    const wanted = { topics: [topic], partitions: { [topic]: [partition] }, timestamp: ListOffsetTimestamps.LATEST };
    const end = (await reader.listOffsets(wanted)).get(topic)?.[partition] ?? 0n;
    const found = (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic);
    const numbers: number[] = [];
    for (let next = 0n; next < end; ) {
      const part = { partition, fetchOffset: next, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
      const answer = await reader.fetch({
        node: found?.partitions[partition]?.leader ?? -1,
        maxWaitTime: 500,
        minBytes: 1,
        maxBytes: readBytesMax,
        topics: [{ topicId: found?.id ?? "", partitions: [{ ...part, partitionMaxBytes: readBytesMax }] }],
      });
      const batches = answer.responses[0]?.partitions[0]?.records ?? [];
      for (const { firstOffset, records } of batches) {
        for (const { offsetDelta, value } of records) {
          const offset = firstOffset + BigInt(offsetDelta);
          if (offset < next) continue;
          numbers.push(Number.parseInt(String(value), 10));
          next = offset + 1n;
        }
      }
    }
    return numbers;
  } finally {
    await reader.close();
    await admin.close();
  }
}
