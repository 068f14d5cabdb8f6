/** What the log's tests share: a log on a memory disk, and chunks for it. */

import type { LogChunk, LogConfig, Offset } from "../../../../broker/log/log-contract.ts";
import { type LogEnvironment, makeLogEnvironment } from "../../../../broker/log/log-environment.ts";
import { type OpenLogOptions, PartitionLog } from "../../../../broker/log/partition-log.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import type { Clock } from "../../../../shared/ports/clock.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../../../../shared/ports/memory-disk.ts";

export const testConfig: LogConfig = {
  segmentBytes: 1024 * 1024,
  segmentMs: 604_800_000,
  retentionMs: -1,
  retentionBytes: -1,
  indexIntervalBytes: 256,
};

export class ManualClock implements Clock {
  nowMs = 1_700_000_000_000;

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

export interface ChunkWish {
  readonly epoch?: number;
  readonly startsSegment?: boolean;
  /** Records in each batch. */
  readonly records?: number;
  readonly batches?: number;
  readonly valueBytes?: number;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly compression?: number;
}

/** A chunk at `baseOffset`; the values tell offset and epoch, so that chunks of other histories differ. */
export function chunkAt(baseOffset: Offset, wish: ChunkWish = {}): LogChunk {
  const { epoch = 1, records = 1, batches = 1, valueBytes = 20, timestampMs = 1_000 + baseOffset } = wish;
  const parts: Buffer[] = [];
  let offset = baseOffset;
  for (let index = 0; index < batches; index += 1) {
    const base = offset;
    parts.push(
      encodeBatch({
        baseOffset: base,
        partitionLeaderEpoch: epoch,
        compression: wish.compression ?? 0,
        producerId: wish.producerId ?? -1,
        producerEpoch: wish.producerEpoch ?? -1,
        baseSequence: wish.baseSequence ?? -1,
        records: Array.from({ length: records }, (_, record) => ({
          timestampMs: timestampMs + record,
          value: Buffer.from(`${base + record}@${epoch} `.repeat(valueBytes).slice(0, valueBytes)),
        })),
      }),
    );
    offset += records;
  }
  const bytes = Buffer.concat(parts);
  return { baseOffset, endOffset: offset, epoch, bytes, startsSegment: wish.startsSegment ?? false };
}

type Opening = Omit<OpenLogOptions, "config"> & { readonly config?: Partial<LogConfig> };

export interface TestLog {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  readonly environment: LogEnvironment;
  /** Opens the log (again), with all caches empty, as a new process would. */
  open(options?: Opening): Promise<PartitionLog>;
}

export const logDirectory = "/data/topic-0";

export function makeTestLog(
  options: MemoryDiskOptions & {
    readonly tailBytesMax?: number;
    readonly openFilesMax?: number;
    readonly indexBytesMax?: number;
  } = {},
): TestLog {
  const disk = new MemoryDisk(options);
  const clock = new ManualClock();
  const made = {
    disk,
    clock,
    environment: makeLogEnvironment(disk, clock, options),
    open(open: Opening = {}) {
      made.environment = makeLogEnvironment(disk.attach(), clock, options);
      return PartitionLog.open(made.environment, logDirectory, {
        ...open,
        config: { ...testConfig, ...open.config },
      });
    },
  };
  return made;
}

/** Resolves when all that was appended is written (or the log failed). */
export async function written(log: PartitionLog): Promise<void> {
  while (log.writtenOffset < log.endOffset && log.failure === undefined) await turn();
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** All chunks' bytes of the log from `offset` to its end, as a consumer reads them. */
export async function readAll(log: PartitionLog, offset = log.startOffset, maxBytes = 1_000_000): Promise<Buffer> {
  const parts: Buffer[] = [];
  let at = offset;
  while (at < log.endOffset) {
    const buffers = await log.read(at, log.endOffset, maxBytes, true);
    if (buffers.length === 0) throw new Error(`nothing to read at ${at} of ${log.endOffset}`);
    for (const buffer of buffers) {
      parts.push(buffer);
      at = endOf(buffer);
    }
  }
  return Buffer.concat(parts);
}

/** One past the last offset of a buffer of batches. */
export function endOf(bytes: Buffer): Offset {
  let end = 0;
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    end = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1;
  }
  return end;
}
