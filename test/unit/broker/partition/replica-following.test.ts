import { describe, expect, test } from "vitest";
import type { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { segmentFileName } from "../../../../shared/segment/segment-names.ts";
import { means, rules } from "../log/compaction/compaction-fixture.ts";
import { chunkAt, ManualClock, testConfig, written } from "../log/log-fixture.ts";
import { attachOf, ReplicaFixture, recordOf } from "./replica-fixture.ts";

/** Broker 1 follows broker 2. */
const led = recordOf({ leader: 2 });
const ack = (end: number, more = "") => `ack on 1: holds ${end}${more}`;

describe("reconcile", () => {
  test("the log is cut where its history departs from the leader's, then pushes start there", async () => {
    const fixture = await ReplicaFixture.open({
      record: recordOf({ leader: 2, leaderEpoch: 3 }),
      log: [
        [1, 4],
        [2, 7],
      ],
    });
    await fixture.follow({
      epoch: 3,
      logEndOffset: 6,
      epochs: [
        [1, 0],
        [3, 5],
      ],
    });
    expect(fixture.truncations).toEqual([[7, 4]]);
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 4", ack(4)]);
  });

  test("with a log that is a prefix of the leader's nothing is cut", async () => {
    const fixture = await ReplicaFixture.open({ record: led, log: [[1, 4]] });
    await fixture.follow({ logEndOffset: 6, epochs: [[1, 0]] });
    expect(fixture.truncations).toEqual([]);
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 4", ack(4)]);
  });

  test("a write of an older epoch ends before the leader hears where to go on", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.holdDisk();
    fixture.push(1, chunkAt(0));
    fixture.replica.onAttach(fixture.link(3), attachOf({ epoch: 2 }));
    expect(await fixture.said(3)).toEqual([]);
    await fixture.releaseDisk();
    // The leader of epoch 2 has nothing: what the leader of epoch 1 pushed goes, and was not acknowledged to anybody.
    expect(await fixture.said(3)).toEqual(["attached on 1: push from 0", ack(0, ", accepted")]);
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
    expect(fixture.log.endOffset).toBe(0);
  });

  test("a log that ends before the leader's begins starts anew there", async () => {
    const fixture = await ReplicaFixture.open({ record: led, log: [[1, 2]] });
    await fixture.follow({ logStartOffset: 10, logEndOffset: 12, epochs: [[1, 10]] });
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 10", ack(10, ", log start 10")]);
    expect([fixture.log.startOffset, fixture.log.endOffset]).toEqual([10, 10]);
  });

  test("a log that has missed tombstones which are gone by now is copied anew, and knows of them", async () => {
    const fixture = await ReplicaFixture.open({ record: led, log: [[1, 4]] });
    await fixture.follow({ logEndOffset: 9, epochs: [[1, 0]], tombstonesGoneBelow: 5 });
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 0", ack(0)]);
    expect(fixture.restarts).toEqual([[4, "tombstones"]]);
    expect(fixture.log.tombstonesGoneBelow).toBe(5);
  });

  test("a log that has copied them all goes on; an empty one begins where it is", async () => {
    const fixture = await ReplicaFixture.open({ record: led, log: [[1, 4]] });
    await fixture.follow({ logEndOffset: 9, epochs: [[1, 0]], tombstonesGoneBelow: 4 });
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 4", ack(4)]);
    await fixture.log.raiseStart(4);
    await fixture.follow({ stream: 2, logStartOffset: 4, logEndOffset: 9, epochs: [[1, 4]], tombstonesGoneBelow: 7 });
    expect(await fixture.said(2)).toEqual(["attached on 2: push from 4", "ack on 2: holds 4, log start 4"]);
    expect(fixture.log.tombstonesGoneBelow).toBe(7);
  });

  test("a log that was compacted past the cut is copied anew: what was left out for newer records is needed again", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    for (const offset of [0, 1, 2]) fixture.log.append(chunkAt(offset, { startsSegment: true }));
    await written(fixture.log as PartitionLog);
    fixture.log.reconfigure({ ...testConfig, compaction: rules });
    const bounds = { wallMs: 0, settledOffset: 3, tombstonesKeptFrom: 3 };
    await fixture.log.compact(bounds, means(new ManualClock()));
    expect(fixture.log.compactedTo).toBe(2);
    await fixture.follow({ logEndOffset: 1, epochs: [[1, 0]] });
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 0", ack(0)]);
    expect(fixture.restarts).toEqual([[3, "compacted"]]);
  });

  test("so is one of which such a pass has begun and not ended", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    const { log } = fixture;
    for (const offset of [0, 1, 2]) log.append(chunkAt(offset, { startsSegment: true }));
    await written(log as PartitionLog);
    log.reconfigure({ ...testConfig, segmentBytes: 1, compaction: rules });
    const { sizeBytes } = log;
    const { pace, ...others } = means(new ManualClock());
    const bytesPerSecond = () => {
      if (log.sizeBytes < sizeBytes) log.reconfigure({ ...testConfig, compaction: undefined });
      return Number.POSITIVE_INFINITY;
    };
    const bounds = { wallMs: 0, settledOffset: 3, tombstonesKeptFrom: 3 };
    const { kind } = await log.compact(bounds, { ...others, pace: { ...pace, bytesPerSecond } });
    expect([kind, log.compactedTo]).toEqual(["stopped", 0]);
    await fixture.follow({ logEndOffset: 1, epochs: [[1, 0]] });
    expect(fixture.restarts).toEqual([[3, "compacted"]]);
  });

  test("the leader's log start is taken over", async () => {
    const fixture = await ReplicaFixture.open({ record: led, log: [[1, 8]] });
    await fixture.follow({ logStartOffset: 3, logEndOffset: 8, epochs: [[1, 3]] });
    expect(fixture.log.startOffset).toBe(3);
  });

  test("the promise is written before the leader is answered", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    fixture.holdSaves();
    await fixture.follow({ epoch: 4 });
    expect(fixture.replica.promisedEpoch).toBe(4);
    expect(await fixture.said(2)).toEqual([]);
    await fixture.releaseSaves();
    expect(fixture.saved[0]).toEqual({ promisedEpoch: 4, acceptedEpoch: 0 });
    expect((await fixture.said(2))[0]).toBe("attached on 1: push from 0");
  });

  test("an attach that comes again voids the one before; what is pushed on the old stream is not taken", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.follow({ stream: 2 });
    await fixture.said(2);
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 0, logStartOffset: 0, chunks: [chunkAt(0)] });
    expect(fixture.log.endOffset).toBe(0);
    expect(await fixture.said(2)).toEqual([]);
    fixture.push(2, chunkAt(0));
    expect(await fixture.said(2)).toEqual(["ack on 2: holds 1, accepted"]);
  });
});

describe("a deposed leader", () => {
  test("of an epoch older than the promise is refused", async () => {
    const fixture = await ReplicaFixture.open({ record: led, state: { promisedEpoch: 3, acceptedEpoch: 1 } });
    expect(fixture.replica.onAttach(fixture.link(2), attachOf({ epoch: 2 }))).toBe("refused");
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 3"]);
  });

  test("of an epoch older than the newest record is refused by a replica that promised nothing (rule V)", async () => {
    const fixture = await ReplicaFixture.open({ record: recordOf({ leader: 2, leaderEpoch: 5 }) });
    expect(fixture.replica.onAttach(fixture.link(3), attachOf({ epoch: 4 }))).toBe("refused");
    expect(await fixture.said(3)).toEqual(["refused on 1: promised 5"]);
  });

  test("is told as soon as a newer record is read, and has no more acknowledged", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.holdDisk();
    fixture.push(1, chunkAt(0));
    fixture.replica.onRecord(recordOf({ leader: 3, leaderEpoch: 2 }));
    await fixture.releaseDisk();
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
  });
});

describe("acknowledgements", () => {
  test("come when the chunk is written, not before", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.holdDisk();
    fixture.push(1, chunkAt(0), chunkAt(1));
    expect(await fixture.said(2)).toEqual([]);
    await fixture.releaseDisk();
    expect((await fixture.said(2)).at(-1)).toBe(ack(2, ", accepted"));
  });

  test("the epoch is accepted when all is written that the leader held at its election, not before (rule G)", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow({ endAtElection: 2, logEndOffset: 4, epochs: [[1, 0]] });
    fixture.push(1, chunkAt(0));
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 0", ack(0), ack(1)]);
    expect(fixture.replica.acceptedEpoch).toBe(0);
    fixture.push(1, chunkAt(1));
    expect(await fixture.said(2)).toEqual([ack(2, ", accepted")]);
    expect(fixture.saved.at(-1)).toEqual({ promisedEpoch: 1, acceptedEpoch: 1 });
  });

  test("the accepted epoch is written before it is acknowledged", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow({ endAtElection: 1, logEndOffset: 1, epochs: [[1, 0]] });
    await fixture.said(2);
    fixture.holdSaves();
    fixture.push(1, chunkAt(0));
    expect(await fixture.said(2)).toEqual([]);
    await fixture.releaseSaves();
    expect(await fixture.said(2)).toEqual([ack(1, ", accepted")]);
  });

  test("an epoch whose acceptance is being written when a newer leader attaches is not accepted any more", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow({ endAtElection: 1, logEndOffset: 1, epochs: [[1, 0]] });
    await fixture.said(2);
    fixture.holdSaves();
    fixture.push(1, chunkAt(0));
    await fixture.settle();
    fixture.replica.onAttach(fixture.link(3), attachOf({ epoch: 2, logEndOffset: 5, epochs: [[2, 0]] }));
    await fixture.releaseSaves();
    expect(fixture.replica.acceptedEpoch).toBe(0);
    expect(fixture.saved.at(-1)).toEqual({ promisedEpoch: 2, acceptedEpoch: 0 });
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 2"]);
    expect(await fixture.said(3)).toEqual(["attached on 1: push from 0", ack(0)]);
  });

  test("a probe without chunks is acknowledged with what is held", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.push(1);
    expect(await fixture.said(2)).toEqual([ack(0, ", accepted")]);
  });

  test("of a replica that lost its data do not vote, until a record gives it its vote back: then it says so (rule D)", async () => {
    const fixture = await ReplicaFixture.open({ record: recordOf({ leader: 2, lost: [1] }) });
    await fixture.follow();
    expect(await fixture.said(2)).toEqual(["attached on 1: push from 0", ack(0, ", accepted, no vote")]);
    fixture.replica.onRecord(recordOf({ leader: 2, partitionEpoch: 2 }));
    expect(await fixture.said(2)).toEqual([ack(0, ", accepted")]);
  });
});

describe("what is pushed", () => {
  test("moves the high watermark, but never past what is held here", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    const entry = { stream: 1, logStartOffset: 0 };
    fixture.replica.onAppend(fixture.link(2), { ...entry, highWatermark: 9, chunks: [chunkAt(0)] });
    expect(fixture.replica.highWatermark).toBe(1);
    fixture.replica.onAppend(fixture.link(2), { ...entry, highWatermark: 0, chunks: [] });
    expect(fixture.replica.highWatermark).toBe(1);
  });

  test("raises the log start", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    const chunks = [chunkAt(0), chunkAt(1)];
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 1, logStartOffset: 1, chunks });
    await fixture.settle();
    expect((await fixture.said(2)).at(-1)).toBe(ack(2, ", log start 1, accepted"));
  });

  test("and leaves a gap is not taken: the leader attaches anew", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 0, logStartOffset: 0, chunks: [chunkAt(3)] });
    expect(await fixture.said(2)).toEqual(["refused on 1: no such stream"]);
    await fixture.follow({ stream: 2 });
    fixture.push(2, chunkAt(0));
    expect((await fixture.said(2)).at(-1)).toBe("ack on 2: holds 1, accepted");
  });

  test("after the link broke is refused on the next one", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    fixture.connect(2);
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 0, logStartOffset: 0, chunks: [chunkAt(0)] });
    expect(await fixture.said(2)).toEqual(["refused on 1: promised 1"]);
    expect(fixture.log.endOffset).toBe(0);
  });
});

describe("a disk that fails", () => {
  test("the leader is told, and attaches when the log is open again", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    await fixture.said(2);
    fixture.failWrites("ENOSPC");
    fixture.push(1, chunkAt(0));
    expect(await fixture.said(2)).toEqual(["refused on 1: no such stream"]);
    await fixture.follow({ stream: 2 });
    expect(await fixture.said(2)).toEqual(["refused on 2: no such stream"]);
    fixture.failWrites(undefined);
    await fixture.time.advance(3_000);
    await fixture.settle();
    await fixture.follow({ stream: 3 });
    expect((await fixture.said(2))[0]).toBe("attached on 3: push from 0");
  });

  test("the high watermark is never above what is left when the log is opened again", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    fixture.failWrites("EIO");
    fixture.replica.onAppend(fixture.link(2), { stream: 1, highWatermark: 1, logStartOffset: 0, chunks: [chunkAt(0)] });
    expect(fixture.replica.highWatermark).toBe(1);
    await fixture.settle();
    fixture.failWrites(undefined);
    await fixture.time.advance(3_000);
    await fixture.settle();
    expect(fixture.replica.highWatermark).toBe(fixture.log.endOffset);
  });

  test("a replica whose disk has lost what it acknowledged answers no seal, and does not follow without it", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow();
    fixture.push(1, chunkAt(0), chunkAt(1));
    expect((await fixture.said(2)).at(-1)).toBe("ack on 1: holds 2, accepted");
    fixture.failWrites("EIO");
    fixture.push(1, chunkAt(2));
    await fixture.settle();
    fixture.failWrites(undefined);
    fixture.disk.damage(`/log/${segmentFileName(0, "log")}`, chunkAt(0).bytes.length + 61, Buffer.from("lost"));
    await fixture.time.advance(3_000);
    await fixture.settle();
    expect(await fixture.replica.seal(2)).toEqual({ kind: "failed" });
    expect(fixture.log.failure).toBeDefined();
  });

  test("an accepted epoch that cannot be written is not acknowledged, and the leader is told", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    await fixture.follow({ endAtElection: 1, logEndOffset: 1, epochs: [[1, 0]] });
    await fixture.said(2);
    fixture.failSaves(new Error("full"));
    fixture.push(1, chunkAt(0));
    expect(await fixture.said(2)).toEqual(["refused on 1: no such stream"]);
    expect(fixture.replica.acceptedEpoch).toBe(0);
  });

  test("a promise that cannot be written is not answered, and the leader is told", async () => {
    const fixture = await ReplicaFixture.open({ record: led });
    fixture.failSaves(new Error("full"));
    await fixture.follow({ epoch: 2 });
    expect(await fixture.said(2)).toEqual(["refused on 1: no such stream"]);
  });
});
