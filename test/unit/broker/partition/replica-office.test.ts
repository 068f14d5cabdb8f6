import { describe, expect, test } from "vitest";
import { diskStillMsMax } from "../../../../broker/partition/limits.ts";
import { chunkAt } from "../log/log-fixture.ts";
import { attachOf, leading, ReplicaFixture, recordOf } from "./replica-fixture.ts";

const unelected = recordOf({ leader: 2 });
const epoch2 = recordOf({ leaderEpoch: 2 });

describe("taking office", () => {
  test("promise and accepted epoch are written before anything is pushed or served (rule S)", async () => {
    const fixture = await ReplicaFixture.open({ log: [[1, 3]], record: epoch2 });
    fixture.connect(2);
    fixture.holdSaves();
    fixture.replica.considerOffice();
    expect(await fixture.said(2)).toEqual([]);
    expect(fixture.replica.leader).toBeUndefined();
    const begun: (number | undefined)[] = [];
    fixture.replica.appointment?.whenSettled(() => begun.push(fixture.replica.leader?.epoch));
    await fixture.releaseSaves();
    expect(begun).toEqual([2]);
    expect(fixture.replica.appointment).toBeUndefined();
    expect(fixture.saved).toEqual([{ promisedEpoch: 2, acceptedEpoch: 2 }]);
    expect(await fixture.said(2)).toEqual([
      "attach on 1: leader of epoch 2, log [0, 3), 3 at election, epochs 1 from 0, high watermark 0",
    ]);
    expect(fixture.replica.report()).toBeUndefined();
  });

  test("its log end at the election is written: writes of an older epoch end first", async () => {
    const fixture = await ReplicaFixture.open({ record: unelected });
    await fixture.follow();
    fixture.holdDisk();
    fixture.push(1, chunkAt(0));
    fixture.replica.onRecord(epoch2);
    await fixture.settle();
    expect(fixture.replica.leader).toBeUndefined();
    await fixture.releaseDisk();
    expect([fixture.leader.endAtElection, fixture.log.writtenOffset]).toEqual([1, 1]);
  });

  test("no epoch is led twice (rule L): after a restart a new one is asked for", async () => {
    const fixture = await ReplicaFixture.open({ state: { promisedEpoch: 1, acceptedEpoch: 1 } });
    fixture.replica.considerOffice();
    await fixture.settle();
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.attentions).toBe(1);
    expect(fixture.replica.report()).toMatchObject({ reason: "cannot-lead", partitionEpoch: 1 });
    fixture.replica.onRecord(epoch2);
    await fixture.settle();
    expect(fixture.leader.epoch).toBe(2);
  });

  test("a replica that lost its data does not lead (rule O)", async () => {
    const fixture = await ReplicaFixture.open({ record: recordOf({ lost: [1] }) });
    fixture.replica.considerOffice();
    await fixture.settle();
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.replica.report()?.reason).toBe("cannot-lead");
  });

  test("nor does one that promised a newer epoch", async () => {
    const fixture = await ReplicaFixture.open({ state: { promisedEpoch: 2, acceptedEpoch: 0 } });
    fixture.replica.considerOffice();
    await fixture.settle();
    expect(fixture.replica.report()?.reason).toBe("cannot-lead");
  });

  test("sealed while its promise is written, it leads nothing", async () => {
    const fixture = await ReplicaFixture.open();
    fixture.holdSaves();
    fixture.replica.considerOffice();
    const sealed = fixture.replica.seal(2);
    await fixture.releaseSaves();
    expect(await sealed).toMatchObject({ kind: "sealed", acceptedEpoch: 0 });
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.saved.at(-1)).toEqual({ promisedEpoch: 2, acceptedEpoch: 0 });
  });

  test("when another leader was elected meanwhile, it leads neither its own epoch nor the other's", async () => {
    const fixture = await ReplicaFixture.open();
    fixture.connect(2);
    fixture.holdSaves();
    fixture.replica.considerOffice();
    fixture.replica.onRecord(recordOf({ leaderEpoch: 2, leader: 2 }));
    await fixture.releaseSaves();
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.replica.promisedEpoch).toBe(2);
    expect(await fixture.said(2)).toEqual([]);
  });

  test("when its state cannot be written it says that it cannot lead", async () => {
    const fixture = await ReplicaFixture.open();
    fixture.failSaves(new Error("full"));
    fixture.replica.considerOffice();
    await fixture.settle();
    expect(fixture.replica.report()?.reason).toBe("cannot-lead");
  });

  test("one that does not get to it, as its disk stands still, says so once the others can elect", async () => {
    const fixture = await ReplicaFixture.open();
    fixture.holdSaves();
    fixture.replica.considerOffice(fixture.time.monotonicMs() - diskStillMsMax);
    await fixture.time.advance(diskStillMsMax - 1);
    fixture.connect(2);
    fixture.connect(3);
    expect(fixture.replica.report()).toBeUndefined();
    await fixture.time.advance(1);
    expect(fixture.replica.report()?.reason).toBe("cannot-lead");
    fixture.disconnect(3);
    expect(fixture.replica.report()).toBeUndefined();
    await fixture.releaseSaves();
    expect(fixture.leader.epoch).toBe(1);
  });

  test("the log start that the record knows of is taken over", async () => {
    const fixture = await ReplicaFixture.open({
      log: [[1, 5]],
      record: recordOf({ leaderEpoch: 2, logStartOffset: 3 }),
    });
    fixture.replica.considerOffice();
    await fixture.settle();
    expect([fixture.leader.startOffset, fixture.leader.highWatermark]).toEqual([3, 3]);
  });
});

describe("leaving office", () => {
  test("a newer record ends the leadership and answers who waits for a commit", async () => {
    const fixture = await leading();
    fixture.append();
    const outcomes: unknown[] = [];
    fixture.leader.whenCommitted(1, (error) => outcomes.push(error));
    fixture.replica.onRecord(recordOf({ leaderEpoch: 2, leader: 3 }));
    expect(outcomes).toEqual(["NOT_LEADER_OR_FOLLOWER"]);
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.replica.report()).toBeUndefined();
  });

  test("so does the attach of a newer leader, and the seal for a newer epoch", async () => {
    for (const end of [
      (fixture: ReplicaFixture) => fixture.replica.onAttach(fixture.link(3), attachOf({ epoch: 2 })),
      (fixture: ReplicaFixture) => fixture.replica.seal(2),
    ]) {
      const fixture = await leading();
      void end(fixture);
      expect(fixture.replica.leader).toBeUndefined();
      expect(fixture.changes).toBe(2);
    }
  });

  test("elected again, it leads the next epoch", async () => {
    const fixture = await leading();
    await fixture.replica.seal(2);
    fixture.replica.onRecord(epoch2);
    await fixture.settle();
    expect(fixture.leader.epoch).toBe(2);
    expect(fixture.saved.at(-1)).toEqual({ promisedEpoch: 2, acceptedEpoch: 2 });
  });

  test("a leader whose write failed leads no more, and not again in its epoch when the log is open again", async () => {
    const fixture = await leading();
    fixture.failWrites("ENOSPC");
    fixture.append();
    await fixture.settle();
    expect(fixture.replica.leader).toBeUndefined();
    expect(fixture.replica.report()?.reason).toBe("cannot-lead");
    fixture.failWrites(undefined);
    await fixture.time.advance(3_000);
    await fixture.settle();
    expect(fixture.log.failure).toBeUndefined();
    expect(fixture.replica.leader).toBeUndefined();
    fixture.replica.onRecord(epoch2);
    await fixture.settle();
    expect(fixture.leader.epoch).toBe(2);
  });

  test("a log that cannot be opened again is tried again", async () => {
    const fixture = await leading();
    fixture.disk.fault = () => ({ kind: "error", code: "EIO" });
    fixture.append();
    await fixture.settle();
    await fixture.time.advance(3_000);
    await fixture.settle();
    expect(fixture.log.failure).toBeDefined();
    fixture.disk.fault = undefined;
    await fixture.time.advance(3_000);
    await fixture.settle();
    expect(fixture.log.failure).toBeUndefined();
  });

  test("closed, it answers waiters, takes no office and refuses who attaches", async () => {
    const fixture = await leading();
    fixture.append();
    const outcomes: unknown[] = [];
    fixture.leader.whenCommitted(1, (error) => outcomes.push(error));
    await fixture.replica.close(true);
    expect(outcomes).toEqual(["NOT_LEADER_OR_FOLLOWER"]);
    fixture.replica.onRecord(epoch2);
    expect(fixture.replica.onAttach(fixture.link(2), attachOf({ epoch: 3 }))).toBe("refused");
    expect(await fixture.replica.seal(4)).toEqual({ kind: "failed" });
    expect(fixture.replica.report()).toBeUndefined();
  });
});
