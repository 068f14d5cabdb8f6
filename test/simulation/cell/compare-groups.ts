import { LoadedGroups } from "../../../broker/coordinator/loaded-groups.ts";
import type { CommittedOffset } from "../../../broker/coordinator/offsets/group-offsets.ts";
import type { PartitionLogContract } from "../../../broker/log/log-contract.ts";
import { decodeRecords } from "../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";
import type { NewestPartition } from "./cell-views.ts";
import type { SimulatedCell } from "./simulated-cell.ts";

const readBytes = 256 * 1024;
const config = { minSessionTimeoutMs: 0, maxSessionTimeoutMs: 0, groupMaxSize: 0, initialRebalanceDelayMs: 0 };

/**
 * All replicas of an internal partition come to the same groups, and none of them to one of a tenant that is gone. Replicas
 * are equal in what they say, not in their bytes, so only those are compared that know the same high watermark.
 */
export async function compareGroups(
  cell: SimulatedCell,
  partitions: readonly NewestPartition[],
  { isTenant, violate }: { readonly isTenant: (lkc: string) => boolean; readonly violate: (message: string) => void },
): Promise<void> {
  for (const { topicId, partition, record } of partitions) {
    const known = new Map<number, { readonly groups: string; readonly by: number }>();
    let furthest: { readonly end: number; readonly groups: Replayed } | undefined;
    for (const { broker } of cell.serving) {
      const replica = broker.replicas.replica(topicId, record.partition);
      if (replica === undefined || record.lost.includes(broker.id)) continue;
      const { log } = replica;
      const end = Math.min(replica.leader?.highWatermark ?? replica.highWatermark, log.endOffset);
      const found = await replayed(log, end);
      if (furthest === undefined || end > furthest.end) furthest = { end, groups: found };
      const groups = found.map(({ text }) => text).join("\n");
      const other = known.get(end);
      if (other === undefined) known.set(end, { groups, by: broker.id });
      else if (other.groups !== groups) {
        violate(`up to ${partition}@${end} broker ${other.by} has ${other.groups} and ${broker.id} has ${groups}`);
      }
    }
    const left = furthest?.groups.find(({ lkc }) => !isTenant(lkc));
    if (left !== undefined) violate(`${partition} still holds ${left.text}, whose tenant is gone`);
  }
}

/** Groups as text, in the order of that. */
type Replayed = readonly { readonly lkc: string; readonly text: string }[];

/** What the log up to `end` comes to. */
async function replayed(log: PartitionLogContract, end: number): Promise<Replayed> {
  const groups = new LoadedGroups();
  const batch = new RecordBatchView(Buffer.alloc(0));
  for (let offset = log.startOffset; offset < end; ) {
    for (const bytes of await log.read(offset, end, readBytes, true)) {
      for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
        batch.moveTo(bytes, at);
        for (const record of decodeRecords(batch)) if (record.offset >= offset) groups.replay(record);
        offset = Math.max(offset, batch.endOffset);
      }
    }
  }
  const found = [...groups.finish(config, 0)].map(({ lkc, groupId, classic, offsets }) => ({
    lkc,
    text: JSON.stringify([lkc, groupId, classic.generationId, classic.describe(), sorted([...offsets.all()])]),
  }));
  return found.sort((a, b) => (a.text < b.text ? -1 : 1));
}

function sorted(offsets: readonly CommittedOffset[]): readonly string[] {
  return offsets.map((offset) => JSON.stringify(offset)).sort();
}
