import { describe, expect, test } from "vitest";
import { BrokerCalls } from "../../../broker/broker-calls.ts";
import { handOverMsMax } from "../../../broker/controller/limits.ts";
import { releaseCommitMsMax, releaseMsMax, releaseRetryMs } from "../../../broker/limits.ts";
import { ManualTime } from "./handlers/manual-time.ts";

interface Led {
  readonly voters: readonly number[];
  /** All that was appended is committed. */
  readonly isCommitted?: boolean;
}

/** Broker 1 of three, to stop, that leads `partitions`; the test says who else stops and when the controller acts. */
function start(partitions: readonly Led[]) {
  const time = new ManualTime();
  const draining = new Set<number>();
  const gone = new Set<number>();
  const asked: string[] = [];
  const replicas = partitions.map(({ voters, isCommitted = true }) => {
    const leader = {
      handingOver: false,
      highWatermark: isCommitted ? 5 : 4,
      endOffset: 5,
      inSyncReplicas: () => voters,
      stream: () => ({ heldOffset: 5 }),
    };
    const replica = {
      record: { voters, outgoing: [], partitionEpoch: 1 },
      leader: leader as typeof leader | undefined,
      resigned: false,
      resign: () => {
        replica.resigned = true;
        replica.leader = undefined;
      },
    };
    return replica;
  });
  const links = {
    drain: () => draining.add(1),
    isAlive: (broker: number) => !gone.has(broker),
    isDraining: (broker: number) => draining.has(broker),
    call: (broker: number, method: string) => {
      asked.push(`${method} of ${broker}`);
      // A controller that stops does not answer.
      return draining.has(broker) ? new Promise(() => undefined) : Promise.resolve({ kind: "answered", body: true });
    },
  };
  const calls = new BrokerCalls({
    self: 1,
    clock: time,
    timers: time,
    links,
    replicas: { replicas: () => replicas, replica: (_topic: string, partition: number) => replicas[partition] },
    controller: { inOffice: false },
    metadata: { image: { controller: { brokerId: 2 } } },
  } as never);
  let isDone = false;
  let givenUp = 0;
  const release = () => {
    isDone = false;
    void calls.releaseLeadership().then((count) => {
      isDone = true;
      givenUp = count;
    });
    return time.settle();
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms && !isDone; passed += 5) await time.advance(5);
  };
  const handOver = () => calls.answer(2, "hand-over", [{ topicId: "t", partition: 0, partitionEpoch: 1, target: 3 }]);
  return { time, draining, gone, asked, replicas, release, handOver, pass, done: () => isDone, givenUp: () => givenUp };
}

const all = { voters: [1, 2, 3] };

describe("before a broker stops", () => {
  test("it takes no more appends and asks the controller until others lead", async () => {
    const broker = start([all]);
    await broker.release();
    expect(broker.replicas[0]?.leader?.handingOver).toBe(true);
    expect(broker.asked).toEqual(["release of 2"]);
    await broker.pass(releaseRetryMs + 50);
    expect(broker.asked).toEqual(["release of 2", "release of 2"]);
    for (const replica of broker.replicas) replica.leader = undefined;
    await broker.pass(50);
    expect(broker.done()).toBe(true);
    expect(broker.replicas[0]?.resigned).toBe(false);
    expect(broker.givenUp()).toBe(0);
  });

  test("nor does it when a hand-over that began before has come to nothing", async () => {
    const broker = start([all]);
    await broker.handOver();
    await broker.release();
    await broker.time.advance(handOverMsMax);
    expect(broker.replicas[0]?.leader?.handingOver).toBe(true);
  });

  test("nobody waits for a partition of which no majority stays", async () => {
    const broker = start([all, { voters: [1] }, { voters: [1, 3] }]);
    broker.draining.add(2);
    await broker.release();
    await broker.pass(50);
    expect(broker.done()).toBe(true);
    expect(broker.asked).toEqual([]);
    expect(broker.replicas.map(({ resigned }) => resigned)).toEqual([true, true, true]);
    expect(broker.givenUp()).toBe(3);
  });

  test("nobody waits for a controller that turns out to stop as well", async () => {
    const broker = start([all]);
    await broker.release();
    await broker.pass(50);
    expect(broker.done()).toBe(false);
    broker.draining.add(3);
    await broker.pass(50);
    expect(broker.done()).toBe(true);
  });

  test("what was appended is waited for to commit, for a while, if there is a majority to commit it", async () => {
    const broker = start([{ ...all, isCommitted: false }]);
    broker.draining.add(2).add(3);
    await broker.release();
    await broker.pass(releaseCommitMsMax - 50);
    expect(broker.done()).toBe(false);
    broker.gone.add(2).add(3);
    await broker.pass(10);
    expect(broker.done()).toBe(true);
  });

  test("it gives up in the end, and asked again it does not begin anew", async () => {
    const broker = start([all]);
    await broker.release();
    await broker.pass(releaseMsMax + 50);
    expect(broker.done()).toBe(true);
    expect(broker.replicas[0]?.resigned).toBe(true);
    await broker.release();
    expect(broker.done()).toBe(true);
  });
});

test("a leader goes on by itself when no election follows its hand-over", async () => {
  const broker = start([all]);
  expect(await broker.handOver()).toEqual([{ topicId: "t", partition: 0 }]);
  expect(broker.replicas[0]?.leader?.handingOver).toBe(true);
  await broker.time.advance(handOverMsMax);
  expect(broker.replicas[0]?.leader?.handingOver).toBe(false);
});
