import { describe, expect, test } from "vitest";
import type { LogChunk } from "../../../../broker/log/log-contract.ts";
import { FollowerStream, type StreamSource } from "../../../../broker/partition/follower-stream.ts";
import { catchUpReadBytesMax } from "../../../../broker/partition/limits.ts";
import { pushWindowBytesMax } from "../../../../broker/peer/limits.ts";
import { PeerLink } from "../../../../broker/peer/peer-link.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { describeMessage } from "../peer/described-message.ts";
import { FakeConnection } from "../peer/fake-transport.ts";

const pieceBytes = 1_000_000;

/** A leader's log whose records have a given size, in memory or on a disk that the test moves. */
class Source implements StreamSource {
  endOffset = 0;
  startOffset = 0;
  highWatermark = 0;
  tombstonesGoneBelow = 0;
  onDisk = false;
  attaches = 0;
  reads: { readonly offset: number; readonly maxBytes: number }[] = [];
  readonly #pending: (() => void)[] = [];
  readonly #chunkBytes: number;

  constructor(chunkBytes = 100) {
    this.#chunkBytes = chunkBytes;
  }

  chunk(baseOffset: number): LogChunk {
    const bytes = Buffer.alloc(this.#chunkBytes);
    return { baseOffset, endOffset: baseOffset + 1, epoch: 1, startsSegment: false, bytes };
  }

  append(): LogChunk {
    return this.chunk(this.endOffset++);
  }

  readChunks(offset: number, maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]> {
    this.reads.push({ offset, maxBytes });
    const count = Math.max(1, Math.floor(maxBytes / this.#chunkBytes));
    const end = Math.min(this.endOffset, offset + count);
    const chunks = Array.from({ length: end - offset }, (_, n) => this.chunk(offset + n));
    if (!this.onDisk) return chunks;
    return new Promise((resolve) => this.#pending.push(() => resolve(chunks)));
  }

  /** The disk ends the oldest read. */
  finishRead(): void {
    this.#pending.shift()?.();
  }

  attach(): void {
    this.attaches += 1;
  }
}

class Fixture {
  readonly time = new ManualTime();
  readonly source: Source;
  readonly stream: FollowerStream;
  connection = new FakeConnection(2);
  link = this.#newLink();

  constructor(source = new Source()) {
    this.source = source;
    this.stream = new FollowerStream(2, source, this.time.monotonicMs());
  }

  #newLink(): PeerLink {
    return new PeerLink(this.connection, { clock: this.time, timers: this.time });
  }

  /** A new link opens, and the replica attaches on it. */
  attach(endOffset: number): void {
    this.connection = new FakeConnection(2);
    this.link = this.#newLink();
    this.stream.attaching(this.link, this.time.monotonicMs());
    this.stream.attached(endOffset);
  }

  append(count = 1): void {
    for (let n = 0; n < count; n++) this.stream.offer(this.source.append(), this.time.monotonicMs());
  }

  acks(heldOffset: number, change: { readonly accepted?: boolean; readonly counts?: boolean } = {}): void {
    const { accepted = true, counts = true } = change;
    const entry = { stream: this.stream.number, heldOffset, logStartOffset: 0, accepted, votes: true };
    this.stream.acknowledged(entry, counts, this.time.monotonicMs());
  }

  /** What left since this was asked last; the offsets of the chunks, message by message. */
  async pushed(): Promise<string[]> {
    for (let turn = 0; turn < 4; turn++) await this.time.settle();
    return this.connection.sent.splice(0).flatMap(describeMessage);
  }
}

describe("a replica that keeps up", () => {
  test("is pushed each chunk at once; those of one turn leave together", async () => {
    const fixture = new Fixture();
    fixture.attach(0);
    fixture.append(2);
    fixture.source.highWatermark = 1;
    expect(await fixture.pushed()).toEqual([
      "append on 1: [0, 1) of epoch 1; high watermark 0",
      "append on 1: [1, 2) of epoch 1; high watermark 0",
    ]);
    expect(fixture.source.reads).toEqual([]);
  });

  test("hears of a high watermark that no chunk carried, once", async () => {
    const fixture = new Fixture();
    fixture.attach(0);
    fixture.append();
    await fixture.pushed();
    fixture.source.highWatermark = 1;
    fixture.stream.sendHighWatermark();
    fixture.stream.sendHighWatermark();
    expect(await fixture.pushed()).toEqual(["append on 1: nothing; high watermark 1"]);
  });

  test("nothing is pushed before it attached, nor after it left", async () => {
    const fixture = new Fixture();
    fixture.append();
    fixture.stream.attaching(fixture.link, 0);
    fixture.append();
    fixture.stream.probe();
    fixture.stream.sendHighWatermark();
    expect(await fixture.pushed()).toEqual([]);
    fixture.stream.detach(0);
    fixture.append();
    expect(await fixture.pushed()).toEqual([]);
  });
});

describe("a replica that is behind", () => {
  test("is caught up from the log when it attaches, in reads of bounded size", async () => {
    const fixture = new Fixture(new Source(pieceBytes));
    fixture.source.endOffset = 3;
    fixture.attach(0);
    const pushed = await fixture.pushed();
    expect(pushed.map((line) => line.slice(0, 22))).toEqual([
      "append on 1: [0, 1) of",
      "append on 1: [1, 2) of",
      "append on 1: [2, 3) of",
    ]);
    expect(fixture.source.reads.every(({ maxBytes }) => maxBytes <= catchUpReadBytesMax)).toBe(true);
    fixture.append();
    expect(fixture.source.reads.length).toBe(3);
  });

  test("fills its window and then waits for acknowledgements, without touching others on the link", async () => {
    const fixture = new Fixture(new Source(pieceBytes));
    const fits = Math.ceil(pushWindowBytesMax / pieceBytes);
    fixture.attach(0);
    fixture.append(fits + 5);
    expect((await fixture.pushed()).length).toBe(fits);
    fixture.acks(2);
    expect((await fixture.pushed()).length).toBe(2);
    fixture.acks(fits + 2);
    expect((await fixture.pushed()).length).toBe(3);
    fixture.acks(fits + 5);
    expect(fixture.link.window.tryTake(pushWindowBytesMax)).toBe(true);
  });

  test("whose link breaks gives its room back", () => {
    const fixture = new Fixture(new Source(pieceBytes));
    fixture.attach(0);
    fixture.append(20);
    fixture.stream.detach(0);
    expect(fixture.link.window.tryTake(pushWindowBytesMax)).toBe(true);
    expect(fixture.link.window.tryTake(1)).toBe(false);
  });

  test("new chunks wait behind those that are read from the disk, in order", async () => {
    const fixture = new Fixture();
    fixture.source.onDisk = true;
    fixture.source.endOffset = 2;
    fixture.attach(0);
    fixture.append();
    expect(await fixture.pushed()).toEqual([]);
    fixture.source.finishRead();
    await fixture.pushed();
    fixture.source.finishRead();
    expect((await fixture.pushed()).map((line) => line.slice(13, 19))).toEqual(["[2, 3)"]);
    fixture.append();
    expect((await fixture.pushed()).map((line) => line.slice(13, 19))).toEqual(["[3, 4)"]);
  });

  test("a read that ends after the replica attached anew is not pushed to the new stream", async () => {
    const fixture = new Fixture();
    fixture.source.onDisk = true;
    fixture.source.endOffset = 4;
    fixture.attach(0);
    fixture.attach(3);
    fixture.source.finishRead();
    expect(await fixture.pushed()).toEqual([]);
    fixture.source.finishRead();
    expect((await fixture.pushed()).map((line) => line.slice(13, 19))).toEqual(["[3, 4)"]);
  });

  test("a read that gives nothing leaves the stream to be attached anew", async () => {
    for (const readChunks of [() => Promise.reject(new Error("EIO")), () => Promise.resolve([]), () => []]) {
      const fixture = new Fixture();
      fixture.source.readChunks = readChunks;
      fixture.source.endOffset = 1;
      fixture.attach(0);
      await fixture.pushed();
      expect(fixture.stream.status).toBe("detached");
    }
  });

  test("that would next copy what lacks its tombstones by now is told, and begins anew", async () => {
    const fixture = new Fixture();
    fixture.source.onDisk = true;
    fixture.source.endOffset = 9;
    fixture.attach(3);
    fixture.source.tombstonesGoneBelow = 5;
    fixture.source.finishRead();
    expect(await fixture.pushed()).toEqual([]);
    expect(fixture.source.attaches).toBe(1);
    // The attach has said so: a replica that then goes on has nothing that they had deleted.
    fixture.attach(3);
    fixture.source.finishRead();
    expect((await fixture.pushed())[0]).toContain("[3, 4)");
    expect(fixture.source.attaches).toBe(1);
  });

  test("that has copied all of them goes on", async () => {
    const fixture = new Fixture();
    fixture.source.onDisk = true;
    fixture.source.endOffset = 9;
    fixture.attach(5);
    fixture.source.tombstonesGoneBelow = 5;
    fixture.source.finishRead();
    expect((await fixture.pushed())[0]).toContain("[5, 6)");
  });

  test("behind the log start it attaches anew at the first batch there is", async () => {
    const fixture = new Fixture();
    fixture.source.endOffset = 9;
    fixture.source.startOffset = 5;
    fixture.attach(2);
    expect(await fixture.pushed()).toEqual([]);
    expect([fixture.source.attaches, fixture.stream.firstOffset]).toEqual([1, 5]);
  });
});

describe("acknowledgements", () => {
  test("count for commit only when they may; what counted counts for ever", () => {
    const fixture = new Fixture();
    fixture.attach(0);
    fixture.append(3);
    fixture.acks(2, { counts: false });
    expect([fixture.stream.heldOffset, fixture.stream.countedOffset]).toEqual([2, -1]);
    fixture.acks(3);
    fixture.attach(1);
    expect([fixture.stream.heldOffset, fixture.stream.countedOffset, fixture.stream.accepted]).toEqual([-1, 3, false]);
    fixture.acks(1);
    expect([fixture.stream.heldOffset, fixture.stream.countedOffset]).toEqual([1, 3]);
  });

  test("tell when the replica last had all: at the last one that had what there was before, and until more came", async () => {
    const fixture = new Fixture();
    fixture.attach(0);
    fixture.acks(0);
    const firstMs = fixture.time.monotonicMs();
    await fixture.time.advance(100);
    fixture.append(2);
    expect(fixture.stream.caughtUpMs).toBe(firstMs + 100);
    await fixture.time.advance(100);
    fixture.acks(1);
    expect(fixture.stream.caughtUpMs).toBe(firstMs + 100);
    fixture.append();
    await fixture.time.advance(100);
    fixture.acks(2);
    expect(fixture.stream.caughtUpMs).toBe(firstMs + 200);
    fixture.acks(3);
    expect(fixture.stream.caughtUpMs).toBe(firstMs + 300);
  });
});

describe("when the replica followed for certain", () => {
  test("never before it attached; then when the attach was sent, and what its heartbeats echo while attached", async () => {
    const fixture = new Fixture();
    expect(fixture.stream.followedMs).toBe(Number.NEGATIVE_INFINITY);
    fixture.stream.attaching(fixture.link, 500);
    fixture.link.echoedMs = 600;
    expect(fixture.stream.followedMs).toBe(Number.NEGATIVE_INFINITY);
    fixture.link.echoedMs = 400;
    fixture.stream.attached(0);
    expect(fixture.stream.followedMs).toBe(500);
    fixture.link.echoedMs = 700;
    expect(fixture.stream.followedMs).toBe(700);
    fixture.stream.detach(0);
    fixture.link.echoedMs = 900;
    expect(fixture.stream.followedMs).toBe(700);
  });
});
