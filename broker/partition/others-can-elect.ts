import type { BrokerId, PartitionState } from "../../shared/metadata/records/record.ts";
import { isQuorum } from "../replication/quorum.ts";

/** Could the partition's other replicas elect one of them, without this broker? */
export function othersCanElect(
  record: PartitionState,
  self: BrokerId,
  links: { isAlive(broker: BrokerId): boolean },
): boolean {
  return isQuorum(record, (broker) => broker !== self && links.isAlive(broker) && !record.lost.includes(broker));
}
