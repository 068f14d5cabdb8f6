import { decodeBatches } from "../workload/test-records.ts";
import type { NewestPartition } from "./cell-views.ts";
import type { SimulatedCell } from "./simulated-cell.ts";

const readBytes = 64 * 1024;

/** What every live replica of these partitions has below its own high watermark must be the same. */
export async function compareReplicas(
  cell: SimulatedCell,
  partitions: readonly NewestPartition[],
  violate: (message: string) => void,
): Promise<void> {
  for (const { topicId, partition, record } of partitions) {
    const known = new Map<number, { readonly id: string; readonly by: number }>();
    for (const { broker } of cell.serving) {
      const replica = broker.replicas.replica(topicId, record.partition);
      if (replica === undefined || record.lost.includes(broker.id)) continue;
      const { log } = replica;
      const end = Math.min(replica.leader?.highWatermark ?? replica.highWatermark, log.endOffset);
      for (let offset = log.startOffset; offset < end; ) {
        const read = decodeBatches(await log.read(offset, end, readBytes, true)).filter((one) => one.offset >= offset);
        if (read[0]?.offset !== offset) {
          return violate(`broker ${broker.id} cannot read ${partition}@${offset} below its high watermark ${end}`);
        }
        for (const one of read) {
          const other = known.get(one.offset);
          if (other === undefined) known.set(one.offset, { id: one.id, by: broker.id });
          else if (other.id !== one.id) {
            violate(`${partition}@${one.offset} is ${other.id} on ${other.by} and ${one.id} on ${broker.id}`);
          }
          offset = one.offset + 1;
        }
      }
    }
  }
}
