/** Writes the segment that takes the place of a group of them. Its file is nobody's until the log's state names it. */
import { RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";
import { encodeFiller, fillerOffsetsMax } from "../empty-batches.ts";
import { indexEntriesMax } from "../limits.ts";
import type { Offset } from "../log-contract.ts";
import type { LogEnvironment } from "../log-environment.ts";
import { withFile } from "../open-files.ts";
import { Segment } from "../segment.ts";
import { SegmentIndex } from "../segment-index.ts";
import type { CompactionPace } from "./compaction-pace.ts";

/** A run of offsets of one epoch of which nothing is left. */
interface Gap {
  readonly baseOffset: Offset;
  endOffset: Offset;
  readonly epoch: number;
}

export class SegmentOutput {
  readonly #environment: LogEnvironment;
  readonly #pace: CompactionPace;
  readonly #segment: Segment;
  readonly #index = new SegmentIndex();
  readonly #interval: number;
  readonly #batch = new RecordBatchView(Buffer.alloc(0));
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #gap: Gap | undefined;

  /** In the place of `group`, in the log's `directory`. `interval`: bytes between two entries of the index. */
  constructor(
    environment: LogEnvironment,
    group: readonly Segment[],
    options: { readonly directory: string; readonly interval: number; readonly pace: CompactionPace },
  ) {
    const first = group[0] as Segment;
    const generation = Math.max(...group.map((segment) => segment.generation)) + 1;
    // Retention of what has no times goes by when it was appended last.
    const createdMs = Math.max(...group.map((segment) => segment.createdMs));
    let bytes = 0;
    for (const segment of group) bytes += segment.sizeBytes;
    this.#environment = environment;
    this.#pace = options.pace;
    this.#segment = new Segment(options.directory, first.baseOffset, createdMs, generation);
    this.#interval = Math.max(options.interval, Math.ceil(bytes / indexEntriesMax));
  }

  /** Makes the file; empty, whatever an earlier attempt left. */
  async begin(): Promise<void> {
    await withFile(this.#environment.files, this.#segment.slot, { create: true }, async (file) => {
      if (file.sizeAtOpen > 0) await file.truncate(0);
    });
  }

  /** Takes whole batches as they are. They must not change before the next `flush` has ended. */
  add(bytes: Buffer): void {
    this.#endGap();
    for (let at = 0; at < bytes.length; at += this.#batch.sizeBytes) this.#note(this.#batch.moveTo(bytes, at), at);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#segment.sizeBytes += bytes.length;
  }

  /** Nothing is left of the batch. */
  skip(batch: RecordBatchView): void {
    const { baseOffset, endOffset, partitionLeaderEpoch: epoch } = batch;
    const gap = this.#gap;
    if (gap !== undefined && gap.epoch === epoch && endOffset - gap.baseOffset <= fillerOffsetsMax) {
      gap.endOffset = endOffset;
      return;
    }
    this.#endGap();
    this.#gap = { baseOffset, endOffset, epoch };
  }

  /** Writes what was taken. */
  async flush(): Promise<void> {
    const bytes = this.#pendingBytes;
    if (bytes === 0) return;
    const pending = this.#pending;
    const position = this.#segment.writtenBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    // One buffer: thousands of small batches would be more than one system call takes.
    const data = pending.length === 1 ? pending : [Buffer.concat(pending, bytes)];
    await withFile(this.#environment.files, this.#segment.slot, { create: false }, (file) =>
      file.write(position, data),
    );
    this.#segment.writtenBytes += bytes;
    await this.#pace.written(bytes);
  }

  /** The segment, whole and on the device. */
  async end(): Promise<Segment> {
    this.#endGap();
    await this.flush();
    const segment = this.#segment;
    await withFile(this.#environment.files, segment.slot, { create: false }, (file) => file.sync());
    segment.syncedBytes = segment.writtenBytes;
    segment.index = this.#index;
    return segment;
  }

  /** Removes the file, which nobody needs. */
  async discard(): Promise<void> {
    await this.#environment.files.retire(this.#segment.slot);
    await this.#environment.disk.removeFile(this.#segment.slot.path);
  }

  #endGap(): void {
    const gap = this.#gap;
    this.#gap = undefined;
    if (gap === undefined) return;
    this.add(encodeFiller(gap));
  }

  /** A batch that is to be at `at` past the segment's end. */
  #note(batch: RecordBatchView, at: number): void {
    const segment = this.#segment;
    const position = segment.sizeBytes + at;
    this.#index.note(batch.baseOffset - segment.baseOffset, position, segment.maxTimestamp, this.#interval);
    segment.maxTimestamp = Math.max(segment.maxTimestamp, batch.newestTimestamp);
    segment.endOffset = batch.endOffset;
  }
}
