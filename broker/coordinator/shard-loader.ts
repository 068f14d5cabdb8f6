import { decodeRecords } from "../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import type { LeaderEpoch } from "../../shared/metadata/records/record.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { HostedPartition } from "../partition/partition-contract.ts";
import { loadReadBytesMax, loadRetryMs } from "./limits.ts";
import { LoadedGroups } from "./loaded-groups.ts";

/**
 * Reads an internal partition from its start to all that its leader held when it took office. Undefined when the
 * leadership ended first. Rejects with a CoordinatorRecordError when something in it cannot be understood.
 */
export async function loadShard(
  partition: HostedPartition,
  epoch: LeaderEpoch,
  timers: Timers,
): Promise<LoadedGroups | undefined> {
  const groups = new LoadedGroups();
  const batch = new RecordBatchView(Buffer.alloc(0));
  let next: number | undefined;
  while (partition.leaderEpoch === epoch) {
    // While it may not serve, what it held at its election may not be committed, and so is not known to stay.
    const offsets = partition.offsets(epoch);
    if ("kind" in offsets) {
      await pause(timers);
      continue;
    }
    // Only this leadership's coordinator writes here, and it does not yet: the high watermark is the end of the log.
    next = Math.max(next ?? 0, offsets.logStartOffset);
    if (next >= offsets.highWatermark) return groups;
    const read = await partition.read(next, loadReadBytesMax, true);
    if ("kind" in read || read.length === 0) {
      await pause(timers);
      continue;
    }
    if (partition.leaderEpoch !== epoch) break;
    for (const bytes of read) {
      for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
        batch.moveTo(bytes, at);
        for (const record of decodeRecords(batch)) if (record.offset >= next) groups.replay(record);
        next = Math.max(next, batch.endOffset);
      }
    }
    await turn(timers);
  }
  return undefined;
}

function pause(timers: Timers): Promise<void> {
  return new Promise((resolve) => timers.after(loadRetryMs, resolve));
}

function turn(timers: Timers): Promise<void> {
  return new Promise((resolve) => timers.afterTurn(resolve));
}
