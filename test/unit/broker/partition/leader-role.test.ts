import { describe, expect, test } from "vitest";
import {
  attachRefusedMsMax,
  attachRefusedMsMin,
  attachRetryMsMax,
  attachRetryMsMin,
  readLeaseMs,
  replicaLagMsMax,
} from "../../../../broker/partition/limits.ts";
import { leading, ReplicaFixture, recordOf } from "./replica-fixture.ts";

/** Takes office with what `options` say, and attaches nobody. */
async function elected(options: Parameters<typeof ReplicaFixture.open>[0] = {}): Promise<ReplicaFixture> {
  const fixture = await ReplicaFixture.open(options);
  fixture.connect(2);
  fixture.connect(3);
  fixture.replica.considerOffice();
  await fixture.settle();
  return fixture;
}

const epoch2 = { log: [[1, 4]] as const, record: recordOf({ leaderEpoch: 2 }) };

describe("commit", () => {
  test("when a majority has it, the leader's own write included, and not before", async () => {
    const fixture = await leading();
    fixture.holdDisk();
    fixture.append();
    fixture.acks(2, 1);
    expect(fixture.leader.highWatermark).toBe(0);
    await fixture.releaseDisk();
    expect(fixture.leader.highWatermark).toBe(1);
  });

  test("of two followers is one, though the leader's own write is still under way", async () => {
    const fixture = await leading();
    fixture.holdDisk();
    fixture.append();
    fixture.acks(2, 1);
    fixture.acks(3, 1);
    expect([fixture.leader.highWatermark, fixture.log.writtenOffset]).toEqual([1, 0]);
  });

  test.each([
    ["of a replica that has not accepted the epoch (rule A)", { accepted: false }],
    ["of a replica that lost its data (rule D)", { votes: false }],
    ["on a stream that is not this leader's newest (rule R)", { stream: 99 }],
  ])("does not count an acknowledgement %s", async (_what, change) => {
    const fixture = await leading();
    fixture.append();
    await fixture.settle();
    fixture.acks(2, 1, change);
    expect(fixture.leader.highWatermark).toBe(0);
    fixture.acks(2, 1);
    expect(fixture.leader.highWatermark).toBe(1);
  });

  test("waits for min.insync.replicas, and follows when that changes", async () => {
    const fixture = await leading({ minInsyncReplicas: 3 });
    fixture.append();
    await fixture.settle();
    fixture.acks(2, 1);
    expect(fixture.leader.highWatermark).toBe(0);
    fixture.leader.minInsyncReplicas = 2;
    fixture.leader.recount();
    expect(fixture.leader.highWatermark).toBe(1);
  });

  test("what a replica held in this epoch counts after its link broke: acknowledgements count for ever", async () => {
    const fixture = await leading();
    fixture.holdDisk();
    fixture.append();
    fixture.acks(2, 1);
    fixture.disconnect(2);
    await fixture.releaseDisk();
    expect(fixture.leader.highWatermark).toBe(1);
  });

  test("in a joint change needs both sets; when the change ends the leader counts again", async () => {
    const fixture = await leading();
    fixture.replica.onRecord(recordOf({ partitionEpoch: 2, voters: [1, 2, 4], outgoing: [1, 2, 3] }));
    fixture.append();
    await fixture.settle();
    fixture.acks(3, 1);
    expect(fixture.leader.highWatermark).toBe(0);
    fixture.connect(4);
    fixture.attached(4, 0);
    fixture.acks(4, 1);
    expect(fixture.leader.highWatermark).toBe(1);
    fixture.append();
    await fixture.settle();
    fixture.acks(4, 2);
    expect(fixture.leader.highWatermark).toBe(1);
    fixture.replica.onRecord(recordOf({ partitionEpoch: 3, voters: [1, 2, 4] }));
    expect(fixture.leader.highWatermark).toBe(2);
  });

  test("a voter that got its vote back is asked for an acknowledgement (the model's fix 10)", async () => {
    const fixture = await leading({ record: recordOf({ lost: [2, 3] }) });
    fixture.append();
    await fixture.settle();
    fixture.acks(2, 1, { votes: false });
    await fixture.said(2);
    fixture.replica.onRecord(recordOf({ partitionEpoch: 2, lost: [3] }));
    expect(await fixture.said(2)).toEqual(["append on 1: nothing; high watermark 0"]);
    fixture.acks(2, 1);
    expect(fixture.leader.highWatermark).toBe(1);
  });
});

describe("who waits for a commit", () => {
  test("is answered in the order of offsets, at once when it is committed already", async () => {
    const fixture = await leading();
    fixture.append(3);
    await fixture.settle();
    const answered: string[] = [];
    const wait = (end: number) =>
      fixture.leader.whenCommitted(end, (error) => answered.push(`${end} ${error ?? "ok"}`));
    wait(3);
    wait(1);
    wait(2);
    fixture.acks(2, 1);
    expect(answered).toEqual(["1 ok"]);
    fixture.acks(2, 3);
    expect(answered).toEqual(["1 ok", "2 ok", "3 ok"]);
    wait(2);
    expect(answered.at(-1)).toBe("2 ok");
  });

  test("is not answered after it withdrew, and those who did do not pile up", async () => {
    const fixture = await leading();
    fixture.append(2);
    await fixture.settle();
    const answered: number[] = [];
    const withdraws = Array.from({ length: 10_000 }, (_, n) => fixture.leader.whenCommitted(2, () => answered.push(n)));
    for (const withdraw of withdraws.slice(0, -1)) withdraw();
    withdraws[0]?.();
    fixture.acks(2, 2);
    expect(answered).toEqual([9_999]);
    withdraws.at(-1)?.();
  });

  test("may wait for more from inside its answer", async () => {
    const fixture = await leading();
    fixture.append(2);
    await fixture.settle();
    const answered: string[] = [];
    const { leader } = fixture;
    leader.whenCommitted(1, () => leader.whenCommitted(2, () => answered.push("second")));
    fixture.acks(2, 2);
    expect(answered).toEqual(["second"]);
    leader.end();
    leader.whenCommitted(9, (error) => answered.push(String(error)));
    expect(answered.at(-1)).toBe("NOT_LEADER_OR_FOLLOWER");
  });
});

describe("reads", () => {
  test("wait until all that the leader held at its election is committed in its epoch (rule H1)", async () => {
    const fixture = await elected(epoch2);
    fixture.attached(2, 4);
    expect(fixture.leader.mayServe()).toBe(false);
    fixture.acks(2, 4);
    expect(fixture.leader.mayServe()).toBe(true);
  });

  test("and until a majority followed it: an empty log alone serves nothing", async () => {
    const fixture = await elected();
    expect(fixture.leader.mayServe()).toBe(false);
    fixture.attached(2, 0);
    expect(fixture.leader.mayServe()).toBe(true);
  });

  test("end when no heartbeat of ours came back for the length of the lease", async () => {
    const fixture = await leading();
    await fixture.time.advance(readLeaseMs);
    expect(fixture.leader.mayServe()).toBe(true);
    await fixture.time.advance(1);
    expect(fixture.leader.mayServe()).toBe(false);
    // What a peer sent long ago, read only now by a process that was stopped, proves nothing.
    fixture.link(2).lastHeardMs = fixture.time.monotonicMs();
    expect(fixture.leader.mayServe()).toBe(false);
    fixture.link(2).echoedMs = fixture.time.monotonicMs() - 10;
    expect(fixture.leader.mayServe()).toBe(true);
  });

  test("end when a majority refused it for a newer promise, however alive it is", async () => {
    const fixture = await leading();
    fixture.refuses(2, 2);
    expect(fixture.leader.mayServe()).toBe(true);
    fixture.refuses(3, 2);
    expect(fixture.leader.mayServe()).toBe(false);
    expect(fixture.replica.report()).toMatchObject({ reason: "refused" });
  });

  test("go on for the rest of the lease when links break", async () => {
    const fixture = await leading();
    fixture.disconnect(2);
    fixture.disconnect(3);
    expect(fixture.leader.mayServe()).toBe(true);
    await fixture.time.advance(readLeaseMs + 1);
    expect(fixture.leader.mayServe()).toBe(false);
  });
});

describe("in sync", () => {
  test("are voters that have all, or had it a moment ago; dead, refusing and lost ones are not", async () => {
    const fixture = await leading({ minInsyncReplicas: 2 });
    expect(fixture.leader.inSyncReplicas()).toEqual([1, 2, 3]);
    fixture.append();
    await fixture.time.advance(replicaLagMsMax + 1);
    expect(fixture.leader.inSyncReplicas()).toEqual([1]);
    expect(fixture.leader.lacksInSyncReplicas()).toBe(true);
    fixture.acks(2, 1);
    fixture.acks(3, 1);
    expect(fixture.leader.lacksInSyncReplicas()).toBe(false);
    fixture.alive = (broker) => broker !== 2;
    fixture.refuses(3, 2);
    expect(fixture.leader.inSyncReplicas()).toEqual([1]);
  });

  test("after an idle time, the records that come while the first is on its way find enough replicas", async () => {
    const fixture = await leading({ minInsyncReplicas: 2 });
    await fixture.time.advance(10 * replicaLagMsMax);
    fixture.append();
    expect(fixture.leader.lacksInSyncReplicas()).toBe(false);
    expect(fixture.leader.inSyncReplicas()).toEqual([1, 2, 3]);
  });

  test("a caught-up replica stays in sync while it attaches again after an idle time", async () => {
    const fixture = await leading();
    await fixture.time.advance(10 * replicaLagMsMax);
    fixture.connect(2);
    expect(fixture.leader.inSyncReplicas()).toContain(2);
  });

  test("one that lost its data is not, though it holds all", async () => {
    const fixture = await leading({ record: recordOf({ lost: [2] }) });
    expect(fixture.leader.inSyncReplicas()).toEqual([1, 3]);
  });
});

describe("voters that lost their data", () => {
  test("are reported when they hold the whole log again, by what they say since they attached", async () => {
    const fixture = await leading();
    fixture.append(3);
    await fixture.settle();
    fixture.acks(2, 3);
    // Broker 2 comes back with nothing; what it had acknowledged before must not speak for it.
    fixture.replica.onRecord(recordOf({ partitionEpoch: 2, lost: [2] }));
    fixture.connect(2);
    fixture.attached(2, 0);
    expect(fixture.replica.report()).toBeUndefined();
    fixture.acks(2, 1, { votes: false });
    expect(fixture.replica.report()).toBeUndefined();
    fixture.acks(2, 3, { votes: false, accepted: false });
    expect(fixture.replica.report()).toBeUndefined();
    fixture.acks(2, 3, { votes: false });
    expect(fixture.replica.report()).toMatchObject({ reason: "recovered", brokers: [2], partitionEpoch: 2 });
  });
});

describe("tombstones", () => {
  test("are kept from where the slowest replica stands that copies at present; one that is away does not count", async () => {
    const fixture = await leading();
    fixture.append();
    fixture.append();
    await fixture.settle();
    expect(fixture.leader.copiedTo).toBe(0);
    fixture.acks(2, 2);
    fixture.acks(3, 1);
    expect(fixture.leader.copiedTo).toBe(1);
    fixture.replica.linkDown(fixture.link(3));
    expect(fixture.leader.copiedTo).toBe(2);
    // It may have lost what it held: nothing is known of it before it says so.
    const back = fixture.connect(3);
    fixture.replica.linkUp(back.link);
    expect(fixture.leader.copiedTo).toBe(0);
  });
});

describe("streams", () => {
  test("an attach that is not answered is sent again, ever less often: a slow disk may need the time", async () => {
    const fixture = await elected();
    await fixture.said(2);
    const sentMs: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 250) {
      await fixture.time.advance(250);
      fixture.leader.retryAttaches(fixture.time.monotonicMs());
      if ((await fixture.said(2)).length > 0) sentMs.push(ms);
    }
    const waits = sentMs.map((ms, n) => ms - (sentMs[n - 1] ?? -250));
    expect(waits.slice(0, 4)).toEqual([attachRetryMsMin, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(attachRetryMsMax);
    fixture.connect(2);
    expect((await fixture.said(2)).length).toBe(1);
  });

  test("a replica that does not exist yet is tried again soon, then less often", async () => {
    const fixture = await elected();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      await fixture.said(2);
      fixture.refuses(2, -1);
      let ms = 0;
      for (; (await fixture.said(2)).length === 0; ms += 20) await fixture.time.advance(20);
      waits.push(ms);
    }
    expect(waits[0]).toBe(attachRefusedMsMin);
    expect(waits.at(-1)).toBe(attachRefusedMsMax);
  });

  test("a replica that refused for a newer promise is not tried again on this link", async () => {
    const fixture = await leading();
    fixture.refuses(2, 2);
    await fixture.time.advance(60_000);
    fixture.leader.retryAttaches(fixture.time.monotonicMs());
    expect(await fixture.said(2)).toEqual([]);
    fixture.connect(2);
    expect((await fixture.said(2)).length).toBe(1);
  });

  test("members that come and go have their streams opened and closed", async () => {
    const fixture = await leading();
    const four = fixture.connect(4);
    fixture.replica.onRecord(recordOf({ partitionEpoch: 2, learners: [4] }));
    expect((await fixture.said(4))[0]).toMatch(/^attach on 1/);
    fixture.replica.onRecord(recordOf({ partitionEpoch: 3 }));
    expect(fixture.leader.stream(4)).toBeUndefined();
    fixture.append();
    expect(await fixture.said(4)).toEqual([]);
    expect(four.connection.isClosed).toBe(false);
  });

  test("an answer to an older attach is not taken for one to the newest", async () => {
    const fixture = await elected({ log: [[1, 2]] });
    const old = fixture.leader.stream(2)?.number ?? 0;
    fixture.leader.linkUp(fixture.link(2));
    fixture.leader.onAttached(fixture.link(2), old, 0);
    expect(fixture.leader.stream(2)?.status).toBe("attaching");
  });
});
