import type { PartitionState } from "../../../../../shared/metadata/records/record.ts";

/** Partition 0, led by 1 of the voters 1, 2, 3 in its first epoch, but for the change. */
export function partitionState(change: Partial<PartitionState> = {}): PartitionState {
  return {
    partition: 0,
    partitionEpoch: 1,
    voters: [1, 2, 3],
    outgoing: [],
    learners: [],
    lost: [],
    leader: 1,
    leaderEpoch: 1,
    intendedEpoch: 1,
    logStartOffset: 0,
    ...change,
  };
}
