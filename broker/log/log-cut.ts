/** Where and how to cut a log so that it ends at an offset: found out from the files, before anything is changed. */
import { scanBatches } from "./batch-scanner.ts";
import { EpochHistory } from "./epoch-history.ts";
import type { Offset } from "./log-contract.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { type CompactionState, notCompacted } from "./log-state-file.ts";
import { withFile } from "./open-files.ts";
import { decodeProducerSnapshot } from "./producer-snapshot.ts";
import { ProducerStates } from "./producer-states.ts";
import { type Segment, segmentAt } from "./segment.ts";

/** What is left of the log. */
export interface LogCut {
  readonly startOffset: Offset;
  readonly endOffset: Offset;
  /** Segments that stay, the oldest; the last of them keeps its first `lastBytes` bytes. */
  readonly keep: number;
  readonly lastBytes: number;
  /** Largest timestamp of those bytes. */
  readonly maxTimestamp: number;
  readonly epochs: EpochHistory;
  readonly producers: ProducerStates;
  readonly compaction: CompactionState;
}

/** Nothing is left: the log begins again at `offset`, as a copy of one whose tombstones below that other offset are gone. */
export function emptyAt(offset: Offset, tombstonesGoneBelow: Offset = 0): LogCut {
  return {
    startOffset: offset,
    endOffset: offset,
    keep: 0,
    lastBytes: 0,
    maxTimestamp: -1,
    epochs: EpochHistory.empty,
    producers: new ProducerStates(),
    compaction: { ...notCompacted, tombstonesGoneBelow },
  };
}

/** The log as it is before the cut. */
export interface LogParts {
  readonly segments: readonly Segment[];
  readonly startOffset: Offset;
  readonly epochs: EpochHistory;
  readonly compaction: CompactionState;
}

/**
 * The cut at `offset`, which is above the start and below the end. An offset inside a batch cuts that whole batch: no
 * history of epochs parts there.
 */
export async function cutAt(
  environment: LogEnvironment,
  log: LogParts,
  offset: Offset,
  indexIntervalBytes: number,
): Promise<LogCut> {
  const place = segmentAt(log.segments, offset);
  const segment = log.segments[place] as Segment;
  const end = await boundaryBefore(environment, segment, offset, indexIntervalBytes);
  const { compaction } = log;
  if (end.offset <= log.startOffset) return emptyAt(end.offset, compaction.tombstonesGoneBelow);
  // A segment that would be empty goes: whether a new one begins here is for the leader to say.
  const before = log.segments[place - 1];
  const keep = end.position > 0 ? place + 1 : place;
  const cut = {
    startOffset: log.startOffset,
    endOffset: end.offset,
    keep,
    lastBytes: end.position > 0 ? end.position : (before?.sizeBytes ?? 0),
    maxTimestamp: end.position > 0 ? end.maxTimestamp : (before?.maxTimestamp ?? -1),
    epochs: log.epochs.truncateTo(end.offset),
    compaction: {
      ...compaction,
      compactedTo: Math.min(compaction.compactedTo, end.offset),
      cleanedTo: Math.min(compaction.cleanedTo, end.offset),
    },
  };
  if (keep === 0) return emptyAt(end.offset, compaction.tombstonesGoneBelow);
  return { ...cut, producers: await producersAt(environment, log.segments.slice(0, keep), cut.lastBytes) };
}

interface Boundary {
  readonly offset: Offset;
  readonly position: number;
  /** Largest timestamp of what is before. */
  readonly maxTimestamp: number;
}

/** The last begin of a batch at or before `offset`, by a walk from the nearest index entry. */
async function boundaryBefore(
  environment: LogEnvironment,
  segment: Segment,
  offset: Offset,
  interval: number,
): Promise<Boundary> {
  if (offset === segment.baseOffset) return { offset, position: 0, maxTimestamp: -1 };
  const index = await environment.indexes.get(segment, interval);
  const from = index.positionBefore(offset - segment.baseOffset);
  let maxTimestamp = index.timestampBefore(from);
  let boundary: Boundary | undefined;
  const range = { from, to: segment.writtenBytes, offset: undefined };
  await withFile(environment.files, segment.slot, { create: false }, (file) =>
    scanBatches(file, range, { checksums: false }, (batch, position) => {
      if (batch.endOffset > offset) {
        boundary = { offset: batch.baseOffset, position, maxTimestamp };
        return false;
      }
      maxTimestamp = Math.max(maxTimestamp, batch.newestTimestamp);
      return true;
    }),
  );
  // The offset is where this segment ends and the next begins: all of it stays.
  return boundary ?? { offset: segment.endOffset, position: segment.writtenBytes, maxTimestamp };
}

/**
 * Producer states after the last of the segments, of which `lastBytes` bytes count: from the newest snapshot that can be
 * read, then batch header by batch header. Without any snapshot the walk begins at the oldest segment that is left.
 */
async function producersAt(
  environment: LogEnvironment,
  segments: readonly Segment[],
  lastBytes: number,
): Promise<ProducerStates> {
  let producers = new ProducerStates();
  let first = segments.length - 1;
  for (; first >= 0; first -= 1) {
    const segment = segments[first] as Segment;
    if (segment.baseOffset === 0) break;
    const stored = await environment.disk.readFile(segment.snapshotPath);
    const snapshot = stored === undefined ? undefined : decodeProducerSnapshot(stored);
    if (snapshot === undefined || snapshot.offset !== segment.baseOffset) continue;
    producers = snapshot.producers;
    break;
  }
  const wallMs = environment.clock.wallMs();
  for (const segment of segments.slice(Math.max(first, 0))) {
    const to = segment === segments.at(-1) ? lastBytes : segment.sizeBytes;
    const range = { from: 0, to, offset: segment.baseOffset };
    await withFile(environment.files, segment.slot, { create: false }, (file) =>
      scanBatches(file, range, { checksums: false }, (batch) => {
        producers.update(batch, wallMs);
        return true;
      }),
    );
  }
  return producers;
}
