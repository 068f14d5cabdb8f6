import { beforeEach, describe, expect, test } from "vitest";
import { FetchSessions } from "../../../../broker/handlers/fetch/fetch-sessions.ts";
import { createFetchHandler } from "../../../../broker/handlers/fetch.ts";
import { encodeFiller } from "../../../../broker/log/empty-batches.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { decodeRecords } from "../../../../shared/kafka/records/record.ts";
import { wholeBatches } from "../../../../shared/kafka/records/record-batch.ts";
import type { FetchResponse } from "../../../../shared/kafka/schema/fetch.ts";
import { type HostedTopic, InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;
let topic: HostedTopic;
let handler: ReturnType<typeof createFetchHandler>;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  client = new InMemoryClient(broker, "lkc-aaaaa");
  topic = broker.topic("lkc-aaaaa", "orders", 3);
  handler = createFetchHandler(new FetchSessions(broker.random));
});

interface AskedPartition {
  readonly partition: number;
  readonly fetchOffset?: number;
  readonly partitionMaxBytes?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

interface Wish {
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  readonly isolationLevel?: number;
  readonly replicaId?: number;
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions?: readonly AskedPartition[];
  readonly forgotten?: readonly number[];
}

function fetchFrom(from: InMemoryClient, wish: Wish) {
  const { version = 12, partitions = [{ partition: 0 }], forgotten = [], ...rest } = wish;
  const name = version >= 13 ? { topicId: rest.topicId ?? topic.wireId } : { topic: rest.topic ?? "orders" };
  return from.call(handler, version, {
    maxWaitMs: rest.maxWaitMs ?? 0,
    minBytes: rest.minBytes ?? 1,
    maxBytes: rest.maxBytes ?? 1_000_000,
    isolationLevel: rest.isolationLevel ?? 0,
    sessionId: rest.sessionId ?? 0,
    sessionEpoch: rest.sessionEpoch ?? -1,
    ...(rest.replicaId === undefined ? {} : { replicaId: rest.replicaId }),
    topics:
      partitions.length === 0
        ? []
        : [
            {
              ...name,
              partitions: partitions.map((asked) => ({ fetchOffset: 0, partitionMaxBytes: 1_000_000, ...asked })),
            },
          ],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...name, partitions: forgotten }],
  });
}

const fetchOnce = (wish: Wish = {}) => fetchFrom(client, wish);

/** Partition → the values of its records, of all partitions that the response names. */
function values({ responses }: Pick<FetchResponse, "responses">): Record<number, string[]> {
  const found: Record<number, string[]> = {};
  for (const { partitions } of responses) {
    for (const { partitionIndex, records } of partitions) {
      const batches = [...wholeBatches(records as Buffer)];
      found[partitionIndex] = batches.flatMap((view) => [...decodeRecords(view)].map(({ value }) => String(value)));
    }
  }
  return found;
}

const codes = ({ responses }: Pick<FetchResponse, "responses">) =>
  responses.flatMap(({ partitions }) => partitions.map((partition) => partition.errorCode));

describe("without a session", () => {
  test("gives whole batches from the offset up to the high watermark", async () => {
    const [partition] = topic.hosted;
    partition!.add("a", "b");
    partition!.add("c");
    partition!.commitsAtOnce = false;
    partition!.add("not committed");
    const response = await fetchOnce({ partitions: [{ partition: 0, fetchOffset: 2 }, { partition: 1 }] });
    expect(values(response)).toEqual({ 0: ["c"], 1: [] });
    expect(response.responses[0]?.partitions[0]).toMatchObject({
      errorCode: 0,
      highWatermark: 3,
      lastStableOffset: 3,
      logStartOffset: 0,
      abortedTransactions: null,
    });
    expect(response.sessionId).toBe(0);
  });

  test("read_committed has a list of aborted transactions, which is empty", async () => {
    const { responses } = await fetchOnce({ isolationLevel: 1 });
    expect(responses[0]?.partitions[0]?.abortedTransactions).toEqual([]);
  });

  test("at least one batch comes however small the limits (KIP-74), and no second", async () => {
    topic.hosted[0]!.add("a".repeat(100));
    topic.hosted[1]!.add("b".repeat(100));
    const partitions = [0, 1].map((partition) => ({ partition, partitionMaxBytes: 1 }));
    expect(values(await fetchOnce({ maxBytes: 1, partitions }))).toEqual({ 0: ["a".repeat(100)], 1: [] });
  });

  test("the limit of the response holds over all partitions", async () => {
    for (const partition of topic.hosted) for (let n = 0; n < 5; n += 1) partition.add("x".repeat(100));
    const partitions = [0, 1, 2].map((partition) => ({ partition }));
    const { responses } = await fetchOnce({ maxBytes: 1_000, partitions });
    const bytes = responses[0]?.partitions.map(({ records }) => (records as Buffer).length) ?? [];
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000);
    expect(bytes[2]).toBe(0);
  });

  test("errors", async () => {
    topic.hosted[1]!.leading = false;
    topic.hosted[2]!.logStart = 5;
    const response = await fetchOnce({
      maxWaitMs: 60_000,
      partitions: [
        { partition: 0, fetchOffset: 7 },
        { partition: 1 },
        { partition: 2 },
        { partition: 9 },
        { partition: 0, currentLeaderEpoch: 0 },
        { partition: 0, currentLeaderEpoch: 2 },
      ],
    });
    expect(codes(response)).toEqual([
      errorCode.OFFSET_OUT_OF_RANGE,
      errorCode.NOT_LEADER_OR_FOLLOWER,
      errorCode.OFFSET_OUT_OF_RANGE,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorCode.FENCED_LEADER_EPOCH,
      errorCode.UNKNOWN_LEADER_EPOCH,
    ]);
    expect(codes(await fetchOnce({ topic: "absent" }))).toEqual([errorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });

  test("an offset that is given but not committed is waited for, one beyond is out of range", async () => {
    topic.hosted[0]!.commitsAtOnce = false;
    topic.hosted[0]!.add("a", "b");
    expect(codes(await fetchOnce({ partitions: [{ partition: 0, fetchOffset: 3 }] }))).toEqual([
      errorCode.OFFSET_OUT_OF_RANGE,
    ]);
    const response = fetchOnce({ maxWaitMs: 60_000, partitions: [{ partition: 0, fetchOffset: 1 }] });
    await broker.time.settle();
    topic.hosted[0]!.commit();
    expect(values(await response)).toEqual({ 0: ["a", "b"] });
  });

  test("a diverging epoch (KIP-595)", async () => {
    topic.hosted[0]!.add("a", "b");
    topic.hosted[0]!.endOffsetForEpoch = () => ({ epoch: 1, endOffset: 1 });
    const diverged = await fetchOnce({
      maxWaitMs: 60_000,
      partitions: [{ partition: 0, fetchOffset: 2, lastFetchedEpoch: 1 }],
    });
    expect(diverged.responses[0]?.partitions[0]?.divergingEpoch).toEqual({ epoch: 1, endOffset: 1 });
  });

  test("the new leader comes with the error from v16 on", async () => {
    topic.hosted[0]!.leading = false;
    broker.moveLeader(topic.topicId, 0, 2);
    const response = await fetchOnce({ version: 16 });
    expect(response.responses[0]?.partitions[0]?.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 2 });
    expect(response.nodeEndpoints).toEqual([{ nodeId: 2, host: "localhost", port: 9_002, rack: "zone-2" }]);
  });

  test("a replica is refused", async () => {
    topic.hosted[0]!.add("a");
    const response = await fetchOnce({ version: 11, replicaId: 2 });
    expect(codes(response)).toEqual([errorCode.TOPIC_AUTHORIZATION_FAILED]);
    expect(values(response)).toEqual({ 0: [] });
  });

  test("the broker's memory bounds a response", async () => {
    for (let n = 0; n < 4; n += 1) topic.hosted[0]!.add("x".repeat(200_000));
    client.memoryBytes = 0;
    const { responses } = await fetchOnce();
    expect(responses[0]?.partitions[0]?.records?.length).toBeLessThan(300_000);
  });
});

describe("the long poll", () => {
  test("waits for records, and looks only at the partition that changed", async () => {
    const partitions = [0, 1, 2].map((partition) => ({ partition }));
    const response = fetchOnce({ maxWaitMs: 500, partitions });
    await broker.time.settle();
    topic.hosted[1]!.add("late");
    expect(values(await response)).toEqual({ 0: [], 1: ["late"], 2: [] });
    expect(topic.hosted.map(({ reads }) => reads)).toEqual([0, 1, 0]);
    expect(topic.hosted.map(({ watchers }) => watchers.size)).toEqual([0, 0, 0]);
    expect([broker.time.pending, client.endings]).toEqual([0, 0]);
  });

  test("ends after its time with what there is", async () => {
    const response = fetchOnce({ maxWaitMs: 500, minBytes: 100_000 });
    await broker.time.settle();
    topic.hosted[0]!.add("little");
    await broker.time.advance(499);
    await broker.time.advance(1);
    expect(values(await response)).toEqual({ 0: ["little"] });
    expect([broker.time.pending, client.endings]).toEqual([0, 0]);
  });

  test("what compaction has emptied does not end the wait, and comes when it is over", async () => {
    topic.hosted[0]!.append(encodeFiller({ baseOffset: 0, endOffset: 5, epoch: 1 }), { requiredAcks: 1 });
    const response = fetchOnce({ maxWaitMs: 500 });
    await broker.time.advance(499);
    expect(broker.time.pending).toBe(1);
    await broker.time.advance(1);
    const [partition] = (await response).responses[0]?.partitions ?? [];
    expect(partition?.highWatermark).toBe(5);
    expect([...wholeBatches(partition?.records as Buffer)].map(({ endOffset }) => endOffset)).toEqual([5]);
  });

  test("gathers until there is enough", async () => {
    const response = fetchOnce({ maxWaitMs: 60_000, minBytes: 250 });
    let answered = false;
    void response.then(() => {
      answered = true;
    });
    for (let n = 0; n < 3; n += 1) {
      topic.hosted[0]!.add("x".repeat(30));
      await broker.time.advance(5);
    }
    expect(answered).toBe(true);
    expect(values(await response)[0]?.length).toBe(3);
  });

  test("ends with the error when the leadership ends", async () => {
    const response = fetchOnce({ maxWaitMs: 60_000 });
    await broker.time.settle();
    topic.hosted[0]!.loseLeadership();
    expect(codes(await response)).toEqual([errorCode.NOT_LEADER_OR_FOLLOWER]);
  });

  test("ends when the connection does, and leaves nothing behind", async () => {
    const response = fetchOnce({ maxWaitMs: 60_000 });
    await broker.time.settle();
    client.close();
    await response;
    expect([broker.time.pending, client.endings, topic.hosted[0]!.watchers.size]).toEqual([0, 0, 0]);
  });

  test("a request for nothing is answered at once", async () => {
    expect((await fetchOnce({ maxWaitMs: 60_000, partitions: [] })).responses).toEqual([]);
  });
});

describe("reads from files", () => {
  test("are awaited, also beyond the wait", async () => {
    topic.hosted[0]!.add("old");
    topic.hosted[0]!.readsFromFiles = true;
    const response = fetchOnce({ maxWaitMs: 10 });
    await broker.time.advance(20);
    topic.hosted[0]!.finishReads();
    expect(values(await response)).toEqual({ 0: ["old"] });
    expect([broker.time.pending, client.endings]).toEqual([0, 0]);
  });

  test("what changes meanwhile is not missed", async () => {
    topic.hosted[0]!.add("a".repeat(50));
    topic.hosted[0]!.readsFromFiles = true;
    const response = fetchOnce({ maxWaitMs: 60_000, minBytes: 150, partitions: [{ partition: 0 }, { partition: 1 }] });
    await broker.time.settle();
    topic.hosted[1]!.add("b".repeat(50));
    topic.hosted[0]!.finishReads();
    await broker.time.settle();
    expect(values(await response)[1]).toEqual(["b".repeat(50)]);
  });
});

describe("a session (KIP-227)", () => {
  const three = [0, 1, 2].map((partition) => ({ partition }));

  async function begin(partitions: readonly AskedPartition[] = three) {
    const { sessionId } = await fetchOnce({ sessionEpoch: 0, partitions });
    expect(sessionId).toBeGreaterThan(0);
    return sessionId;
  }

  test("is given with a full response", async () => {
    topic.hosted[1]!.add("a");
    const response = await fetchOnce({ sessionEpoch: 0, partitions: three });
    expect(values(response)).toEqual({ 0: [], 1: ["a"], 2: [] });
  });

  test("later responses hold only what is news", async () => {
    const sessionId = await begin();
    topic.hosted[2]!.add("new");
    const first = await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] });
    expect(values(first)).toEqual({ 2: ["new"] });
    const moved = [{ partition: 2, fetchOffset: 1 }];
    const second = await fetchOnce({ sessionId, sessionEpoch: 2, partitions: moved });
    expect(second.responses).toEqual([]);
    expect(second.sessionId).toBe(sessionId);
  });

  test("records are told until the client's offset has moved past them", async () => {
    const sessionId = await begin();
    topic.hosted[0]!.add("again");
    for (const sessionEpoch of [1, 2, 3]) {
      const response = await fetchOnce({ sessionId, sessionEpoch, partitions: [] });
      expect(values(response)).toEqual({ 0: ["again"] });
    }
  });

  test("an incremental fetch does not look at what has not changed", async () => {
    const sessionId = await begin();
    let looks = 0;
    for (const partition of topic.hosted) {
      const offsets = partition.offsets.bind(partition);
      partition.offsets = (epoch) => {
        looks += 1;
        return offsets(epoch);
      };
    }
    topic.hosted[1]!.add("x");
    await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] });
    expect(looks).toBe(1);
  });

  test("waits for any of its partitions", async () => {
    const sessionId = await begin();
    const response = fetchOnce({ sessionId, sessionEpoch: 1, partitions: [], maxWaitMs: 60_000 });
    await broker.time.settle();
    topic.hosted[2]!.add("late");
    expect(values(await response)).toEqual({ 2: ["late"] });
    expect(broker.time.pending).toBe(0);
  });

  test("partitions are forgotten and added", async () => {
    const sessionId = await begin([{ partition: 0 }]);
    const forgotten = [0];
    const changed = await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [{ partition: 1 }], forgotten });
    expect(values(changed)).toEqual({ 1: [] });
    topic.hosted[0]!.add("unheard");
    topic.hosted[1]!.add("heard");
    expect(values(await fetchOnce({ sessionId, sessionEpoch: 2, partitions: [] }))).toEqual({ 1: ["heard"] });
    expect(topic.hosted[0]!.watchers.size).toBe(0);
  });

  test("an error is told until it is gone; afterwards the partition is told anew", async () => {
    const sessionId = await begin();
    topic.hosted[0]!.loseLeadership();
    for (const sessionEpoch of [1, 2]) {
      const response = await fetchOnce({ sessionId, sessionEpoch, partitions: [], maxWaitMs: 60_000 });
      expect(codes(response)).toEqual([errorCode.NOT_LEADER_OR_FOLLOWER]);
    }
    topic.hosted[0]!.leading = true;
    const healed = await fetchOnce({ sessionId, sessionEpoch: 3, partitions: [] });
    expect(healed.responses[0]?.partitions).toMatchObject([{ partitionIndex: 0, errorCode: 0, highWatermark: 0 }]);
  });

  test("partitions take turns behind small responses", async () => {
    const sessionId = await begin();
    for (const partition of topic.hosted) for (let n = 0; n < 9; n += 1) partition.add("x".repeat(100));
    const served: number[] = [];
    const offsets = [0, 0, 0];
    let moved: AskedPartition[] = [];
    for (let sessionEpoch = 1; sessionEpoch <= 9; sessionEpoch += 1) {
      const response = await fetchOnce({ sessionId, sessionEpoch, maxBytes: 1, partitions: moved });
      const answers = response.responses.flatMap(({ partitions }) => partitions);
      const { partitionIndex } = answers.find(({ records }) => (records as Buffer).length > 0)!;
      served.push(partitionIndex);
      offsets[partitionIndex]! += 1;
      moved = [{ partition: partitionIndex, fetchOffset: offsets[partitionIndex]! }];
    }
    for (const partition of [0, 1, 2]) expect(served.filter((index) => index === partition).length).toBe(3);
  });

  test("epochs are checked, and count every request", async () => {
    const sessionId = await begin();
    const wrong = await fetchOnce({ sessionId, sessionEpoch: 2, partitions: [] });
    expect(wrong.errorCode).toBe(errorCode.INVALID_FETCH_SESSION_EPOCH);
    expect((await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] })).errorCode).toBe(0);
    expect((await fetchOnce({ sessionId, sessionEpoch: 2, partitions: [] })).errorCode).toBe(0);
  });

  test("is not found: unknown, ended, or another tenant's", async () => {
    const sessionId = await begin();
    const unknown = await fetchOnce({ sessionId: sessionId + 1, sessionEpoch: 1, partitions: [] });
    const foreign = new InMemoryClient(broker, "lkc-bbbbb");
    const stolen = await fetchFrom(foreign, { sessionId, sessionEpoch: 1, partitions: [] });
    const ended = await fetchOnce({ sessionId, sessionEpoch: -1, partitions: three });
    expect(ended.sessionId).toBe(0);
    const after = await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] });
    for (const { errorCode: code } of [unknown, stolen, after]) {
      expect(code).toBe(errorCode.FETCH_SESSION_ID_NOT_FOUND);
    }
    expect(topic.hosted.map(({ watchers }) => watchers.size)).toEqual([0, 0, 0]);
  });

  test("another tenant cannot end it", async () => {
    const sessionId = await begin();
    await fetchFrom(new InMemoryClient(broker, "lkc-bbbbb"), { sessionId, sessionEpoch: -1, partitions: [] });
    expect((await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] })).errorCode).toBe(0);
  });

  test("a new one replaces the one it names", async () => {
    const old = await begin();
    const { sessionId } = await fetchOnce({ sessionId: old, sessionEpoch: 0, partitions: three });
    expect(sessionId).not.toBe(old);
    const response = await fetchOnce({ sessionId: old, sessionEpoch: 1, partitions: [] });
    expect(response.errorCode).toBe(errorCode.FETCH_SESSION_ID_NOT_FOUND);
  });

  test("names and ids are not mixed", async () => {
    const sessionId = await begin();
    const response = await fetchOnce({ version: 13, sessionId, sessionEpoch: 1, partitions: [] });
    expect(response.errorCode).toBe(errorCode.FETCH_SESSION_TOPIC_ID_ERROR);
  });

  test("ends when its last partition is forgotten", async () => {
    const sessionId = await begin([{ partition: 0 }]);
    const response = await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [], forgotten: [0], maxWaitMs: 60_000 });
    expect([response.errorCode, response.sessionId]).toEqual([0, 0]);
  });

  test("a second request on it takes over; the first is told that it is gone", async () => {
    const sessionId = await begin();
    const first = fetchOnce({ sessionId, sessionEpoch: 1, partitions: [], maxWaitMs: 60_000 });
    await broker.time.settle();
    topic.hosted[0]!.add("a");
    const second = await fetchOnce({ sessionId, sessionEpoch: 2, partitions: [] });
    expect(values(second)).toEqual({ 0: ["a"] });
    expect((await first).errorCode).toBe(errorCode.FETCH_SESSION_ID_NOT_FOUND);
  });

  test("topics by id: unknown ids are told so, and found once they exist", async () => {
    const foreign = broker.topic("lkc-bbbbb", "orders");
    const { sessionId, responses } = await fetchOnce({ version: 13, sessionEpoch: 0, topicId: foreign.wireId });
    expect(codes({ responses })).toEqual([errorCode.UNKNOWN_TOPIC_ID]);
    expect(sessionId).toBeGreaterThan(0);
    foreign.hosted[0]!.add("secret");
    const later = await fetchOnce({ version: 13, sessionId, sessionEpoch: 1, partitions: [] });
    expect(codes(later)).toEqual([errorCode.UNKNOWN_TOPIC_ID]);
  });

  test("everything is looked at again from time to time", async () => {
    const sessionId = await begin();
    // A change of which nobody was told.
    topic.hosted[1]!.logStart = topic.hosted[1]!.highWatermark = 9;
    const quiet = await fetchOnce({ sessionId, sessionEpoch: 1, partitions: [] });
    expect(quiet.responses).toEqual([]);
    await broker.time.advance(5_000);
    const scanned = await fetchOnce({ sessionId, sessionEpoch: 2, partitions: [] });
    expect(codes(scanned)).toEqual([errorCode.OFFSET_OUT_OF_RANGE]);
  });
});
