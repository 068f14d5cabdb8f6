import { beforeEach, describe, expect, test } from "vitest";
import { logLookIntervalMs } from "../../../../broker/controller/limits.ts";
import { unanswered, unansweredAndClosed } from "../../../../broker/handlers/context/handler.ts";
import {
  leaderReadinessWaitMs,
  requestWaitsMsMax,
  topicLookMsMax,
  topicLookPauseMs,
} from "../../../../broker/handlers/limits.ts";
import { produceHandler } from "../../../../broker/handlers/produce.ts";
import { OpenObstacle } from "../../../../broker/log/obstacle.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { collectAll } from "../collecting.ts";
import { type HostedTopic, InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;
let topic: HostedTopic;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  client = new InMemoryClient(broker, "lkc-aaaaa");
  topic = broker.topic("lkc-aaaaa", "orders", 3);
});

const batch = (value = "x", isTransactional = false) =>
  encodeBatch({ records: [{ value: Buffer.from(value) }], isTransactional });

interface Wish {
  readonly acks?: number;
  readonly timeoutMs?: number;
  readonly transactionalId?: string | null;
  readonly name?: string;
  readonly topicId?: string;
  readonly partitions?: readonly { readonly index: number; readonly records: Buffer | null }[];
}

function request({ acks = -1, timeoutMs = 1_000, transactionalId = null, name = "orders", ...rest }: Wish = {}) {
  const partitionData = rest.partitions ?? [{ index: 0, records: batch() }];
  const topicId = rest.topicId === undefined ? {} : { topicId: rest.topicId };
  return { acks, timeoutMs, transactionalId, topicData: [{ name, partitionData, ...topicId }] };
}

async function onlyPartition(wish: Wish, version = 9) {
  const { responses } = await client.call(produceHandler, version, request(wish));
  return responses[0]?.partitionResponses[0];
}

describe("acks", () => {
  test("-1: answered when the quorum has it, with the base offset", async () => {
    const [partition] = topic.hosted;
    partition!.add("earlier", "ones");
    partition!.commitsAtOnce = false;
    const answer = onlyPartition({});
    await broker.time.settle();
    expect(partition!.waitingCommits).toBe(1);
    partition!.commit();
    expect(await answer).toMatchObject({
      index: 0,
      errorCode: 0,
      baseOffset: 2,
      logStartOffset: 0,
      logAppendTimeMs: -1,
    });
    expect(broker.time.pending).toBe(0);
  });

  test("1: answered at once", async () => {
    topic.hosted[0]!.commitsAtOnce = false;
    expect(await onlyPartition({ acks: 1 })).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(topic.hosted[0]!.appended[0]?.requiredAcks).toBe(1);
  });

  test("0: no answer, and a closed connection when it failed", async () => {
    expect(await client.send(produceHandler, 9, request({ acks: 0 }))).toBe(unanswered);
    expect(await client.send(produceHandler, 9, request({ acks: 0, name: "absent" }))).toBe(unansweredAndClosed);
  });

  test("anything else is refused and nothing is appended", async () => {
    for (const acks of [2, -2, 32_767]) {
      expect((await onlyPartition({ acks }))?.errorCode).toBe(errorCode.INVALID_REQUIRED_ACKS);
    }
    expect(topic.hosted[0]!.appended).toEqual([]);
  });
});

describe("waiting for the quorum", () => {
  test("the frame is the log's alone: a request that waits does not keep it alive", async () => {
    const partition = topic.hosted[0]!;
    partition.append = () => ({
      kind: "appended",
      baseOffset: 0,
      endOffset: 1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
    });
    const frames: WeakRef<ArrayBufferLike>[] = [];
    const answers = [0, 1, 2, 3].map(() => client.send(produceHandler, 9, request(), frames));
    await broker.time.settle();
    expect(partition.waitingCommits).toBe(4);
    await collectAll();
    // The last one may still be where the handler looked at it.
    expect(frames.slice(0, -1).map((frame) => frame.deref()?.byteLength)).toEqual([undefined, undefined, undefined]);
    partition.loseLeadership();
    await Promise.all(answers);
  });

  test("one timer for the request: what is late is REQUEST_TIMED_OUT, what is committed is not", async () => {
    topic.hosted[1]!.commitsAtOnce = false;
    topic.hosted[2]!.commitsAtOnce = false;
    const partitions = [0, 1, 2].map((index) => ({ index, records: batch() }));
    const answer = client.call(produceHandler, 9, request({ partitions, timeoutMs: 500 }));
    await broker.time.settle();
    expect(broker.time.pending).toBe(1);
    await broker.time.advance(500);
    const codes = (await answer).responses[0]?.partitionResponses.map((partition) => partition.errorCode);
    expect(codes).toEqual([0, errorCode.REQUEST_TIMED_OUT, errorCode.REQUEST_TIMED_OUT]);
    expect(topic.hosted[1]!.waitingCommits).toBe(0);
    expect(broker.time.pending).toBe(0);
  });

  test("a leadership that ends answers NOT_LEADER_OR_FOLLOWER with the new leader (KIP-951)", async () => {
    topic.hosted[0]!.commitsAtOnce = false;
    const answer = client.call(produceHandler, 10, request());
    await broker.time.settle();
    broker.moveLeader(topic.topicId, 0, 3);
    topic.hosted[0]!.loseLeadership();
    const { responses, nodeEndpoints } = await answer;
    expect(responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: errorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 3, leaderEpoch: 2 },
    });
    expect(nodeEndpoints).toEqual([{ nodeId: 3, host: "localhost", port: 9_003, rack: "zone-3" }]);
  });

  test("versions before 10 get no hint", async () => {
    topic.hosted[0]!.leading = false;
    expect((await onlyPartition({}, 9))?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
  });
});

describe("refusals", () => {
  test("each partition for itself", async () => {
    topic.hosted[1]!.refusal = { kind: "failed", error: "NOT_ENOUGH_REPLICAS" };
    const partitions = [0, 1, 7].map((index) => ({ index, records: batch() }));
    const { responses } = await client.call(produceHandler, 9, request({ partitions }));
    expect(responses[0]?.partitionResponses.map((partition) => partition.errorCode)).toEqual([
      0,
      errorCode.NOT_ENOUGH_REPLICAS,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
  });

  test("records that are missing or too short for a batch", async () => {
    for (const records of [null, Buffer.alloc(0), Buffer.alloc(60)]) {
      const answer = await onlyPartition({ partitions: [{ index: 0, records }] });
      expect(answer?.errorCode).toBe(errorCode.INVALID_RECORD);
    }
  });

  test("errors of single records are handed on (KIP-467)", async () => {
    const recordErrors = [{ batchIndex: 0, message: "no key" }];
    topic.hosted[0]!.refusal = { kind: "failed", error: "INVALID_RECORD", message: "bad batch", recordErrors };
    expect(await onlyPartition({}, 8)).toMatchObject({
      errorCode: errorCode.INVALID_RECORD,
      errorMessage: "bad batch",
      recordErrors: [{ batchIndex: 0, batchIndexErrorMessage: "no key" }],
    });
  });

  test("transactions, by id or by batch", async () => {
    const byId = await onlyPartition({ transactionalId: "tx" });
    const byBatch = await onlyPartition({ partitions: [{ index: 0, records: batch("x", true) }] });
    expect([byId?.errorCode, byBatch?.errorCode]).toEqual([
      errorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      errorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ]);
    expect(topic.hosted[0]!.appended).toEqual([]);
  });

  test("a partition that lives elsewhere", async () => {
    broker.submitFailure = undefined;
    await broker.submit({
      kind: "create-partitions",
      lkc: "lkc-aaaaa",
      topics: [{ name: "orders", count: 4 }],
      validateOnly: false,
    });
    const answer = await onlyPartition({ partitions: [{ index: 3, records: batch() }] });
    expect(answer?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
  });
});

describe("tenants", () => {
  test("the same name means each one's own topic", async () => {
    const others = broker.topic("lkc-bbbbb", "orders");
    await new InMemoryClient(broker, "lkc-bbbbb").call(produceHandler, 9, request());
    expect(others.hosted[0]!.appended.length).toBe(1);
    expect(topic.hosted[0]!.appended).toEqual([]);
  });

  test("the id of somebody else's topic is unknown", async () => {
    const others = broker.topic("lkc-bbbbb", "secret");
    const own = await onlyPartition({ topicId: topic.wireId }, 13);
    const foreign = await onlyPartition({ topicId: others.wireId }, 13);
    expect([own?.errorCode, foreign?.errorCode]).toEqual([0, errorCode.UNKNOWN_TOPIC_ID]);
    expect(others.hosted[0]!.appended).toEqual([]);
  });
});

test("pipelined requests append in their order before the first is committed", async () => {
  topic.hosted[0]!.commitsAtOnce = false;
  const answers = ["a", "b", "c"].map((value) =>
    client.call(produceHandler, 9, request({ partitions: [{ index: 0, records: batch(value) }] })),
  );
  await broker.time.settle();
  topic.hosted[0]!.commit();
  const offsets = (await Promise.all(answers)).map(({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset);
  expect(offsets).toEqual([0, 1, 2]);
});

describe("a partition that this broker is about to lead", () => {
  beforeEach(() => topic.hosted[0]!.appoint(broker.time.monotonicMs()));

  const begin = () => topic.hosted[0]!.settleAppointment(true);

  test("is waited for, and nothing is appended before, to no partition", async () => {
    const both = [1, 0].map((index) => ({ index, records: batch() }));
    const answer = client.call(produceHandler, 9, request({ partitions: both }));
    await broker.time.settle();
    expect(topic.hosted[1]!.appended).toEqual([]);
    begin();
    const codes = (await answer).responses[0]?.partitionResponses.map((partition) => partition.errorCode);
    expect(codes).toEqual([0, 0]);
    expect(broker.time.pending).toBe(0);
  });

  test("is waited for with acks=0 too: a refusal would cost the connection", async () => {
    const answer = client.send(produceHandler, 9, request({ acks: 0 }));
    await broker.time.settle();
    begin();
    expect(await answer).toBe(unanswered);
    expect(topic.hosted[0]!.appended.length).toBe(1);
  });

  test("is refused when the leadership does not begin in time, at the same moment for all who wait", async () => {
    const first = onlyPartition({});
    await broker.time.advance(leaderReadinessWaitMs - 1);
    const second = onlyPartition({});
    await broker.time.advance(1);
    expect((await first)?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
    expect((await second)?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
    expect((await onlyPartition({}))?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
    begin();
    expect((await onlyPartition({}))?.errorCode).toBe(0);
  });

  test("is refused when the leadership goes elsewhere", async () => {
    const answer = onlyPartition({});
    await broker.time.settle();
    topic.hosted[0]!.settleAppointment(false);
    expect((await answer)?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
  });

  test("is found anew with all others after the wait: what led before it may have lost its office", async () => {
    const answer = client.call(
      produceHandler,
      9,
      request({ partitions: [1, 0].map((index) => ({ index, records: batch() })) }),
    );
    await broker.time.settle();
    topic.hosted[1]!.appoint(broker.time.monotonicMs());
    begin();
    await broker.time.settle();
    expect(topic.hosted[0]!.appended).toEqual([]);
    topic.hosted[1]!.settleAppointment(true);
    const codes = (await answer).responses[0]?.partitionResponses.map((partition) => partition.errorCode);
    expect(codes).toEqual([0, 0]);
  });

  test("holds no request up for longer than two seconds, however many partitions begin one after the other", async () => {
    const many = broker.topic("lkc-aaaaa", "many", 10);
    for (const hosted of many.hosted) hosted.appoint(broker.time.monotonicMs());
    const partitions = many.hosted.map((_, index) => ({ index, records: batch() }));
    const answer = client.call(produceHandler, 9, request({ name: "many", partitions }));
    for (let passedMs = 0; passedMs < requestWaitsMsMax; passedMs += leaderReadinessWaitMs / 2) {
      await broker.time.advance(leaderReadinessWaitMs / 2);
      // Elected again and again, and never there.
      for (const hosted of many.hosted) hosted.settleAppointment(false);
      for (const hosted of many.hosted) hosted.appoint(broker.time.monotonicMs());
    }
    const { responses } = await answer;
    expect(
      responses[0]?.partitionResponses.every((partition) => partition.errorCode === errorCode.NOT_LEADER_OR_FOLLOWER),
    ).toBe(true);
  });

  test("is waited for by no later request of a client either, once one has waited as long as it may", async () => {
    const [partition] = topic.hosted;
    const first = onlyPartition({});
    for (const turn of [0, 1]) {
      await broker.time.advance(0.9 * leaderReadinessWaitMs);
      partition!.settleAppointment(false);
      partition!.appoint(broker.time.monotonicMs());
      await broker.time.settle();
      expect([turn, partition!.appended.length]).toEqual([turn, 0]);
    }
    await broker.time.advance(0.2 * leaderReadinessWaitMs);
    expect((await first)?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
    const next = onlyPartition({});
    await broker.time.settle();
    begin();
    // Taken, it would stand before the first one's repetition.
    expect((await next)?.errorCode).toBe(errorCode.NOT_LEADER_OR_FOLLOWER);
    expect((await onlyPartition({}))?.errorCode).toBe(0);
  });

  test("and one whose leader has to wait for its disk are waited for alike", async () => {
    topic.hosted[0]!.settleAppointment(true);
    topic.hosted[0]!.obstacle = new OpenObstacle(broker.time.monotonicMs());
    const answer = onlyPartition({});
    await broker.time.settle();
    expect(topic.hosted[0]!.appended).toEqual([]);
    begin();
    expect((await answer)?.errorCode).toBe(0);
  });

  test("but a request that has begun is not cut in two when its own first records fill the disk's queue", async () => {
    topic.hosted[0]!.settleAppointment(true);
    const append = topic.hosted[0]!.append.bind(topic.hosted[0]!);
    topic.hosted[0]!.append = (records, options) => {
      const result = append(records, options);
      for (const hosted of topic.hosted) hosted.obstacle = new OpenObstacle(broker.time.monotonicMs());
      return result;
    };
    const partitions = [0, 1].map((index) => ({ index, records: batch("first") }));
    const first = await client.call(produceHandler, 9, request({ partitions }));
    const next = onlyPartition({ partitions: [{ index: 1, records: batch("next") }] });
    await broker.time.settle();
    topic.hosted[1]!.settleAppointment(true);
    expect(first.responses[0]?.partitionResponses.map((partition) => partition.errorCode)).toEqual([0, 0]);
    // Refused, the first would come again behind the next.
    expect(await next).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  test("is not waited for by a request that is refused anyway", async () => {
    expect((await onlyPartition({ acks: 2 }))?.errorCode).toBe(errorCode.INVALID_REQUIRED_ACKS);
    expect((await onlyPartition({ partitions: [{ index: 0, records: null }] }))?.errorCode).toBe(
      errorCode.INVALID_RECORD,
    );
  });
});

describe("a topic that this broker has not heard of", () => {
  test("is looked for in the metadata log before it is refused", async () => {
    broker.refresh = () => void broker.topic("lkc-aaaaa", "made-a-moment-ago");
    expect(await onlyPartition({ name: "made-a-moment-ago" })).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  test("is refused at once after a look in vain: a misspelt name must not slow its connection down", async () => {
    let looks = 0;
    broker.refresh = () => void looks++;
    for (let count = 0; count < 3; count++)
      expect((await onlyPartition({ name: "misspelt" }))?.errorCode).toBe(errorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(looks).toBe(1);
    await broker.time.advance(topicLookPauseMs);
    await onlyPartition({ name: "misspelt" });
    expect(looks).toBe(2);
  });

  test("is looked for even when somebody else has just looked in vain", async () => {
    const other = new InMemoryClient(broker, "lkc-bbbbb");
    await other.call(produceHandler, 9, request({ name: "misspelt" }));
    broker.refresh = () => void broker.topic("lkc-aaaaa", "made-a-moment-ago");
    const answer = onlyPartition({ name: "made-a-moment-ago" });
    await broker.time.settle();
    await broker.time.advance(logLookIntervalMs);
    expect(await answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  test("is refused when the store does not answer, and holds its connection up but once", async () => {
    broker.refresh = () => new Promise(() => undefined);
    const first = onlyPartition({ name: "misspelt" });
    await broker.time.advance(topicLookMsMax);
    expect((await first)?.errorCode).toBe(errorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await onlyPartition({ name: "misspelt" }))?.errorCode).toBe(errorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});
