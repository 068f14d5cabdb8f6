import { describe, expect, test } from "vitest";
import { chunkAt } from "../log/log-fixture.ts";
import { leading, ReplicaFixture, recordOf } from "./replica-fixture.ts";

const led = recordOf({ leader: 2 });

describe("the answer to a seal", () => {
  test("tells what is held and accepted, when the promise is written", async () => {
    const fixture = await ReplicaFixture.open({
      record: led,
      log: [[1, 4]],
      state: { promisedEpoch: 1, acceptedEpoch: 1 },
    });
    fixture.holdSaves();
    let answered = false;
    const sealing = fixture.replica.seal(2).finally(() => {
      answered = true;
    });
    await fixture.settle();
    expect([answered, fixture.replica.promisedEpoch]).toEqual([false, 2]);
    await fixture.releaseSaves();
    expect(fixture.saved).toEqual([{ promisedEpoch: 2, acceptedEpoch: 1 }]);
    expect(await sealing).toEqual({ kind: "sealed", acceptedEpoch: 1, endOffset: 4, logStartOffset: 0, lost: false });
  });

  test("speaks of what is written, not of what is on its way", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    fixture.holdDisk();
    fixture.push(1, chunkAt(0));
    expect(await fixture.replica.seal(2)).toMatchObject({ kind: "sealed", endOffset: 0 });
  });

  test("is given again for the same epoch, and refused for an older one", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    const first = await fixture.replica.seal(3);
    expect(await fixture.replica.seal(3)).toEqual(first);
    expect(fixture.saved.length).toBe(1);
    expect(await fixture.replica.seal(2)).toEqual({ kind: "refused", promisedEpoch: 3 });
  });

  test("is a refusal when a newer epoch was promised while it was written", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    fixture.holdSaves();
    const older = fixture.replica.seal(2);
    const newer = fixture.replica.seal(3);
    await fixture.releaseSaves();
    expect(await older).toEqual({ kind: "refused", promisedEpoch: 3 });
    expect(await newer).toMatchObject({ kind: "sealed" });
  });

  test("says that the data may be lost", async () => {
    const fixture = await ReplicaFixture.open({ record: recordOf({ leader: 2, lost: [1] }) });
    expect(await fixture.replica.seal(2)).toMatchObject({ kind: "sealed", lost: true });
  });

  test("is none when the promise cannot be written, or the log takes no writes", async () => {
    const unwritten = await ReplicaFixture.open({ record: led });
    unwritten.failSaves(new Error("full"));
    expect(await unwritten.replica.seal(2)).toEqual({ kind: "failed" });

    const failed = await ReplicaFixture.open({ record: led });
    await failed.follow();
    failed.failWrites("EIO");
    failed.push(1, chunkAt(0));
    await failed.settle();
    expect(await failed.replica.seal(2)).toEqual({ kind: "failed" });
  });
});

describe("after a seal", () => {
  test("a write of the leader that ends later is not counted (rule J)", async () => {
    const fixture = await leading();
    fixture.holdDisk();
    fixture.append();
    // With broker 2's, the leader's own write would be a majority.
    fixture.acks(2, 1);
    const outcomes: unknown[] = [];
    fixture.leader.whenCommitted(1, (error) => outcomes.push(error));
    const { leader } = fixture;
    await fixture.replica.seal(2);
    await fixture.releaseDisk();
    expect(fixture.log.writtenOffset).toBe(1);
    expect(outcomes).toEqual(["NOT_LEADER_OR_FOLLOWER"]);
    expect(leader.highWatermark).toBe(0);
  });

  test("a write of the follower that ends later is not acknowledged (rule K); the leader is told at once", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.holdDisk();
    fixture.push(1, chunkAt(0));
    await fixture.replica.seal(2);
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
    await fixture.releaseDisk();
    expect(await fixture.said(2)).toEqual([]);
  });

  test("an acceptance that is being written ends without an acknowledgement", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow({ endAtElection: 1, logEndOffset: 1, epochs: [[1, 0]] });
    await fixture.said(2);
    fixture.holdSaves();
    fixture.push(1, chunkAt(0));
    await fixture.settle();
    const sealing = fixture.replica.seal(2);
    await fixture.releaseSaves();
    expect(await sealing).toMatchObject({ kind: "sealed", acceptedEpoch: 1, endOffset: 1 });
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
  });

  test("what the old leader still pushes is refused, so that it reports it (rule Q)", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.replica.seal(2);
    await fixture.said(2);
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 0, logStartOffset: 0, chunks: [chunkAt(0)] });
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
    expect(fixture.log.endOffset).toBe(0);
  });

  test("for the epoch that it leads already, a leader goes on", async () => {
    const fixture = await leading();
    expect(await fixture.replica.seal(1)).toMatchObject({ kind: "sealed", acceptedEpoch: 1 });
    expect(fixture.leader.epoch).toBe(1);
  });
});
