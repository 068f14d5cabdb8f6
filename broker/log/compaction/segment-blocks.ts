/** Reads a segment from one end to the other, in blocks of whole batches whose checksums are right. */
import { batchHeaderBytes, RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";
import { isPlausible } from "../batch-scanner.ts";
import type { Offset } from "../log-contract.ts";
import type { LogEnvironment } from "../log-environment.ts";
import { LogError } from "../log-errors.ts";
import { withFile } from "../open-files.ts";
import type { Segment } from "../segment.ts";
import type { CompactionPace } from "./compaction-pace.ts";
import { blockBytes } from "./limits.ts";

export class SegmentBlocks {
  readonly #environment: LogEnvironment;
  readonly #segment: Segment;
  readonly #pace: CompactionPace;
  readonly #block: Buffer;
  readonly #batch = new RecordBatchView(Buffer.alloc(0));
  #position: number;
  /** Offset that the next batch must have; undefined before the first. */
  #expected: Offset | undefined;

  /** From the batch at `position`. `block`: memory for what is read, used by one at a time. */
  constructor(
    environment: LogEnvironment,
    segment: Segment,
    options: { readonly position: number; readonly pace: CompactionPace; readonly block: Buffer },
  ) {
    this.#environment = environment;
    this.#segment = segment;
    this.#position = options.position;
    this.#pace = options.pace;
    this.#block = options.block;
  }

  /**
   * The next whole batches, one at least; undefined at the segment's end, and when the pace is stopped. The bytes are good
   * until the next call. Rejects with a LogError LOG_CORRUPT when they are not what was appended.
   */
  async next(): Promise<Buffer | undefined> {
    let size = blockBytes;
    while (!this.#pace.isStopped && this.#position < this.#segment.sizeBytes) {
      const bytes = await this.#read(size);
      if (this.#pace.isStopped) return undefined;
      const whole = this.#wholeBatches(bytes);
      if (whole > 0) {
        this.#position += whole;
        return bytes.subarray(0, whole);
      }
      size = this.#batch.moveTo(bytes, 0).sizeBytes;
    }
    return undefined;
  }

  async #read(size: number): Promise<Buffer> {
    const { files } = this.#environment;
    const length = Math.min(size, this.#segment.sizeBytes - this.#position);
    const target = length <= this.#block.length ? this.#block.subarray(0, length) : Buffer.allocUnsafeSlow(length);
    const read = await withFile(files, this.#segment.slot, { create: false }, (file) =>
      file.read(this.#position, target),
    );
    await this.#pace.read(read);
    if (read < length && !this.#pace.isStopped) throw this.#corrupt("the file is shorter");
    return target;
  }

  /** Bytes of the whole batches that the bytes begin with. */
  #wholeBatches(bytes: Buffer): number {
    const batch = this.#batch;
    let at = 0;
    while (at + batchHeaderBytes <= bytes.length) {
      batch.moveTo(bytes, at);
      const follows = this.#expected === undefined || batch.baseOffset === this.#expected;
      if (!isPlausible(batch) || !follows) throw this.#corrupt("no batch where one should begin");
      const end = at + batch.sizeBytes;
      if (this.#position + end > this.#segment.sizeBytes) throw this.#corrupt("a batch ends past the segment");
      if (end > bytes.length) return at;
      if (!batch.isCrcValid) throw this.#corrupt(`the checksum of the batch at offset ${batch.baseOffset} is wrong`);
      this.#expected = batch.endOffset;
      at = end;
    }
    if (at === 0) throw this.#corrupt("less than a header is left");
    return at;
  }

  #corrupt(detail: string): LogError {
    return new LogError("LOG_CORRUPT", this.#segment.slot.path, `about position ${this.#position}: ${detail}`);
  }
}
