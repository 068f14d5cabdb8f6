import type { BrokerId } from "../../shared/metadata/records/record.ts";
import type { LogChunk, Offset } from "../log/log-contract.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { AckEntry } from "../peer/peer-messages.ts";
import type { Pushable } from "../peer/push-window.ts";
import { attachRefusedMsMin, attachRetryMsMin, catchUpReadBytesMax } from "./limits.ts";

/** What a stream needs of the leader that feeds it. */
export interface StreamSource {
  readonly endOffset: Offset;
  readonly startOffset: Offset;
  readonly highWatermark: Offset;
  readonly tombstonesGoneBelow: Offset;
  readChunks(offset: Offset, maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]>;
  /** Sends the replica an attach on the link, with a new stream number. */
  attach(stream: FollowerStream): void;
}

/**
 * The leader's side of one other replica: where it stands and what is under way to it.
 *
 *   detached --link up--> attaching --attached--> attached --link down / refused--> detached
 *
 * Acknowledged offsets outlive the link: what a replica held in this epoch it holds (acks count for ever, see the model).
 */
export class FollowerStream implements Pushable {
  readonly brokerId: BrokerId;
  status: "detached" | "attaching" | "attached" = "detached";
  link: PeerLink | undefined;
  /** The stream's number on the link; what acknowledgements name. */
  number = 0;
  /** Next offset to push. */
  nextOffset: Offset = 0;
  /** Held, by acknowledgements that count for commit; -1 when none did. */
  countedOffset: Offset = -1;
  /** Held, by any acknowledgement since it attached last; for lag, hand-over and who has recovered its data. */
  heldOffset: Offset = -1;
  logStartOffset: Offset = 0;
  /** Has it accepted this epoch, as of the last acknowledgement since it attached? */
  accepted = false;
  /** Newest promise with which the replica refused this leader; 0 when it did not. */
  refusedFor = 0;
  /** When it last held all that the leader had, on the monotonic clock. */
  caughtUpMs: number;
  sentHighWatermark: Offset = -1;
  /** Where a replica that has nothing must begin: DeleteRecords may put the log start inside a batch. */
  firstOffset: Offset = Number.MAX_SAFE_INTEGER;
  attachSentMs = Number.NEGATIVE_INFINITY;
  /** How long the next attach that is not answered is waited for, and the next one that is refused for no newer epoch. */
  attachRetryMs = attachRetryMsMin;
  attachRefusedMs = attachRefusedMsMin;

  readonly #source: StreamSource;
  #behind = false;
  #reading = false;
  #inflight: { readonly endOffset: Offset; readonly bytes: number }[] = [];
  #inflightHead = 0;
  #lastAckMs: number;
  /** What the last attach said of the tombstones that are gone. */
  #toldTombstones: Offset = 0;
  #endAtLastAck: Offset;
  #followedMs = Number.NEGATIVE_INFINITY;

  constructor(brokerId: BrokerId, source: StreamSource, nowMs: number) {
    this.brokerId = brokerId;
    this.#source = source;
    this.caughtUpMs = nowMs;
    this.#lastAckMs = nowMs;
    this.#endAtLastAck = source.endOffset;
  }

  /**
   * A time at which the replica followed this leader for certain: it had promised no newer epoch then. It says so when it
   * does, before any later heartbeat on the link; so the heartbeat of ours that its last one echoes is such a time.
   */
  get followedMs(): number {
    if (this.link === undefined || this.status !== "attached") return this.#followedMs;
    return Math.max(this.#followedMs, this.link.echoedMs);
  }

  /** A new chunk at the leader's log end: pushed at once if the replica keeps up, else left to catch-up. */
  offer(chunk: LogChunk, nowMs: number): void {
    // However long ago its last acknowledgement was: nothing was missing until now.
    if (this.heldOffset >= chunk.baseOffset) this.caughtUpMs = nowMs;
    const link = this.link;
    if (link === undefined || this.status !== "attached") return;
    const next = !this.#behind && !this.#reading && this.nextOffset === chunk.baseOffset;
    if (next && link.window.tryTake(chunk.bytes.length)) this.#send(link, [chunk], chunk.bytes.length);
    else this.#fallBehind(link);
  }

  /** The replica reconciled up to `endOffset`. */
  attached(endOffset: Offset): void {
    const link = this.link;
    if (link === undefined) return;
    this.status = "attached";
    this.#followedMs = Math.max(this.#followedMs, this.attachSentMs);
    this.attachRetryMs = attachRetryMsMin;
    this.nextOffset = endOffset;
    this.sentHighWatermark = -1;
    if (endOffset < this.#source.endOffset) this.#fallBehind(link);
  }

  /** Books an acknowledgement of this stream; returns nothing, the leader recounts. */
  acknowledged(entry: AckEntry, counts: boolean, nowMs: number): void {
    const end = this.#source.endOffset;
    if (entry.heldOffset >= end || (this.heldOffset >= 0 && entry.heldOffset > this.heldOffset))
      this.attachRefusedMs = attachRefusedMsMin;
    if (entry.heldOffset > this.heldOffset) this.heldOffset = entry.heldOffset;
    if (counts && entry.heldOffset > this.countedOffset) this.countedOffset = entry.heldOffset;
    if (entry.logStartOffset > this.logStartOffset) this.logStartOffset = entry.logStartOffset;
    this.accepted = entry.accepted;
    if (entry.heldOffset >= end) this.caughtUpMs = nowMs;
    else if (entry.heldOffset >= this.#endAtLastAck) this.caughtUpMs = Math.max(this.caughtUpMs, this.#lastAckMs);
    this.#endAtLastAck = end;
    this.#lastAckMs = nowMs;
    this.#releaseUpTo(entry.heldOffset);
  }

  /** The high watermark moved and no append carried it: send it alone. */
  sendHighWatermark(): void {
    const link = this.link;
    if (link === undefined || this.status !== "attached" || this.sentHighWatermark === this.#source.highWatermark)
      return;
    this.#queue(link, [], 0);
  }

  /** Asks for a fresh acknowledgement (membership changed: votes count when given). */
  probe(): void {
    if (this.link !== undefined && this.status === "attached") this.#queue(this.link, [], 0);
  }

  /** An attach with this stream number goes out on the link: what was under way under an older number is void. */
  attaching(link: PeerLink, nowMs: number): void {
    this.detach(nowMs);
    this.link = link;
    this.number = link.newStream();
    this.status = "attaching";
    this.attachSentMs = nowMs;
    this.#toldTombstones = this.#source.tombstonesGoneBelow;
    // It may have lost what it held: only what it says from now on tells what is there.
    this.heldOffset = -1;
    this.accepted = false;
  }

  detach(nowMs: number): void {
    const link = this.link;
    if (link === undefined) return;
    this.#followedMs = this.followedMs;
    if (this.heldOffset >= this.#source.endOffset) this.caughtUpMs = nowMs;
    link.window.forget(this);
    let bytes = 0;
    for (let i = this.#inflightHead; i < this.#inflight.length; i++) bytes += this.#inflight[i]?.bytes ?? 0;
    this.#inflight = [];
    this.#inflightHead = 0;
    this.link = undefined;
    this.status = "detached";
    this.#behind = false;
    this.#lastAckMs = nowMs;
    if (bytes > 0) link.window.release(bytes);
  }

  /** Catch-up: the window has room. */
  push(roomBytes: number): boolean {
    const link = this.link;
    if (link === undefined || this.status !== "attached" || this.#reading) return false;
    if (this.nextOffset >= this.#source.endOffset) {
      this.#behind = false;
      return false;
    }
    const from = Math.max(this.nextOffset, this.#source.startOffset);
    const chunks = this.#source.readChunks(from, Math.min(roomBytes, catchUpReadBytesMax));
    if (!(chunks instanceof Promise)) return this.#sendRead(link, chunks);
    this.#reading = true;
    chunks.then(
      (read) => this.#readDone(link, read),
      () => this.#readDone(link, []),
    );
    return false;
  }

  #readDone(link: PeerLink, chunks: readonly LogChunk[]): void {
    this.#reading = false;
    if (this.link !== link || this.status !== "attached") {
      if (this.link !== undefined && this.status === "attached") this.#fallBehind(this.link);
      return;
    }
    if (this.#sendRead(link, chunks)) link.window.wait(this);
  }

  #sendRead(link: PeerLink, chunks: readonly LogChunk[]): boolean {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.bytes.length;
    const first = chunks[0]?.baseOffset;
    if (first !== undefined && first !== this.nextOffset) {
      // The log start moved past what the replica needs next, or lies inside a batch: it begins anew with this batch.
      this.firstOffset = first;
      this.#source.attach(this);
      return false;
    }
    const { tombstonesGoneBelow } = this.#source;
    if (tombstonesGoneBelow > this.#toldTombstones && this.nextOffset < tombstonesGoneBelow) {
      // Compaction has just removed tombstones that it would have copied next: it is told, and begins anew.
      this.#source.attach(this);
      return false;
    }
    if (chunks.length === 0) {
      // Nothing could be read (an I/O error, a segment that retention just removed): the leader attaches anew, later.
      this.#followedMs = this.followedMs;
      this.status = "detached";
      return false;
    }
    link.window.take(bytes);
    link.caughtUpBytes += bytes;
    this.#send(link, chunks, bytes);
    this.#behind = this.nextOffset < this.#source.endOffset;
    return this.#behind;
  }

  #fallBehind(link: PeerLink): void {
    if (this.#reading) return;
    this.#behind = true;
    link.window.wait(this);
  }

  #send(link: PeerLink, chunks: readonly LogChunk[], bytes: number): void {
    const last = chunks[chunks.length - 1];
    if (last === undefined) return;
    this.nextOffset = last.endOffset;
    this.#inflight.push({ endOffset: last.endOffset, bytes });
    this.#queue(link, chunks, bytes);
  }

  #queue(link: PeerLink, chunks: readonly LogChunk[], bytes: number): void {
    const highWatermark = this.#source.highWatermark;
    this.sentHighWatermark = highWatermark;
    link.queueAppend({ stream: this.number, highWatermark, logStartOffset: this.#source.startOffset, chunks }, bytes);
  }

  #releaseUpTo(offset: Offset): void {
    let bytes = 0;
    let head = this.#inflightHead;
    for (; head < this.#inflight.length; head++) {
      const sent = this.#inflight[head];
      if (sent === undefined || sent.endOffset > offset) break;
      bytes += sent.bytes;
    }
    this.#inflightHead = head;
    if (head === this.#inflight.length || head > 1_024) {
      this.#inflight = this.#inflight.slice(head);
      this.#inflightHead = 0;
    }
    if (bytes > 0) this.link?.window.release(bytes);
  }
}
