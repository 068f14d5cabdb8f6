/** First states of partitions that nobody has data of yet; shared by create-topics and create-partitions. */
import type { MetadataImage } from "../image/metadata-image.ts";
import { type BrokerId, noLeader, type PartitionState } from "../records/record.ts";
import { type AssignableBroker, assignReplicas } from "./assign-replicas.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import { replicationFactorMax } from "./limits.ts";

/** Replicas by partition, as the client asked for them. */
export type ManualAssignment = readonly (readonly BrokerId[])[];

export type PlacedReplicas =
  | { readonly kind: "placed"; readonly replicas: readonly (readonly BrokerId[])[] }
  | CommandError;

/** Chooses replicas; alive brokers first, registered ones that are not alive only when there are too few. */
export function placeReplicas(
  image: MetadataImage,
  context: CommandContext,
  wanted: { readonly partitions: number; readonly replicationFactor: number; readonly startIndex: number },
): PlacedReplicas {
  const { replicationFactor } = wanted;
  if (replicationFactor < 1 || replicationFactor > replicationFactorMax) {
    return refused(
      "INVALID_REPLICATION_FACTOR",
      `Replication factor must be from 1 to ${replicationFactorMax}, or -1 for the default.`,
    );
  }
  const brokers = candidates(image, context, replicationFactor);
  if (brokers.length < replicationFactor) {
    return refused(
      "INVALID_REPLICATION_FACTOR",
      `Unable to replicate the partition ${replicationFactor} time(s): only ${brokers.length} broker(s) are registered.`,
    );
  }
  return { kind: "placed", replicas: assignReplicas({ ...wanted, brokers }) };
}

function candidates(image: MetadataImage, context: CommandContext, wanted: number): readonly AssignableBroker[] {
  const alive = new Set(context.aliveBrokers);
  const registered = [...image.brokers.values()].map(({ brokerId, zone }) => ({ id: brokerId, zone }));
  const present = registered.filter(({ id }) => alive.has(id));
  if (present.length >= wanted) {
    return present;
  }
  const absent = registered.filter(({ id }) => !alive.has(id)).toSorted((a, b) => a.id - b.id);
  return [...present, ...absent.slice(0, wanted - present.length)];
}

/** Why the client's own assignment cannot be taken; undefined when it can. */
export function assignmentFault(image: MetadataImage, assignment: ManualAssignment): CommandError | undefined {
  const size = assignment[0]?.length ?? 0;
  for (const [partition, replicas] of assignment.entries()) {
    const why = replicasFault(image, replicas, size);
    if (why !== undefined) {
      return refused("INVALID_REPLICA_ASSIGNMENT", `The assignment of partition ${partition} ${why}.`);
    }
  }
  return undefined;
}

function replicasFault(image: MetadataImage, replicas: readonly BrokerId[], size: number): string | undefined {
  if (replicas.length === 0) {
    return "has no replicas";
  }
  if (new Set(replicas).size !== replicas.length) {
    return "names a broker twice";
  }
  if (replicas.length !== size) {
    return "has another number of replicas than the first one";
  }
  if (replicas.length > replicationFactorMax) {
    return `has more than ${replicationFactorMax} replicas`;
  }
  const unknown = replicas.find((id) => !image.brokers.has(id));
  return unknown === undefined ? undefined : `names broker ${unknown}, which is not registered`;
}

/**
 * A partition that nobody has data of needs no seal: all voters have promised nothing, so its first leader may lead
 * epoch 1 at once.
 */
export function firstState(partition: number, replicas: readonly BrokerId[], context: CommandContext): PartitionState {
  const leader = replicas.find((id) => context.aliveBrokers.includes(id)) ?? noLeader;
  return {
    partition,
    partitionEpoch: 1,
    voters: replicas,
    outgoing: [],
    learners: [],
    lost: [],
    leader,
    leaderEpoch: leader === noLeader ? 0 : 1,
    intendedEpoch: leader === noLeader ? 0 : 1,
    logStartOffset: 0,
  };
}
