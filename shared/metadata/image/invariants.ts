/**
 * What must hold between the image and a record about to be written, checked by every writer before its conditional
 * put: a record that breaks one is a bug of the writer, and never reaches the log.
 */
import type { ElectionIntended, MetadataRecord, PartitionState, PartitionsUpserted } from "../records/record.ts";
import { noLeader } from "../records/record.ts";
import type { MetadataImage } from "./metadata-image.ts";

/** Why the record must not be written over this image; undefined when it may. */
export function violation(image: MetadataImage, record: MetadataRecord): string | undefined {
  switch (record.type) {
    case "partitions-upserted":
      return partitionsViolation(image, record);
    case "election-intended":
      return intentionViolation(image, record);
    case "topic-upserted": {
      const sameName = image.topicsOf(record.lkc)?.get(record.name);
      if (sameName !== undefined && sameName.topicId !== record.topicId) {
        return `${record.lkc} has another topic named ${record.name}`;
      }
      return image.logicalClusters.has(record.lkc) ? undefined : `${record.lkc} does not exist`;
    }
    case "controller-elected": {
      const before = image.controller?.controllerEpoch ?? 0;
      return record.controllerEpoch === before + 1 ? undefined : `controller epoch does not follow ${before}`;
    }
    case "feature-level-raised":
      return record.level > image.featureLevel ? undefined : `feature level is ${image.featureLevel} already`;
    case "producer-ids-allocated":
      return record.first >= image.nextProducerId ? undefined : `producer id ${record.first} was given out before`;
    case "api-key-upserted":
      // Replay would drop it; whoever knows the image should have seen that.
      return image.logicalClusters.has(record.lkc) ? undefined : `${record.lkc} does not exist`;
    case "broker-registered": {
      const present = image.brokers.get(record.brokerId);
      if (present === undefined) {
        return image.retiredBrokerIds.has(record.brokerId) ? `broker id ${record.brokerId} was used before` : undefined;
      }
      return present.storageId === record.storageId ? undefined : `broker ${record.brokerId} is bound to other data`;
    }
    case "broker-unregistered":
    case "logical-cluster-upserted":
    case "logical-cluster-deleted":
    case "api-key-deleted":
    case "topic-deleted":
    case "cell-config-replaced":
      return undefined;
  }
}

function partitionsViolation(image: MetadataImage, record: PartitionsUpserted): string | undefined {
  const topic = image.topics.get(record.topicId);
  if (topic === undefined) {
    return `topic ${record.topicId} does not exist`;
  }
  let count = topic.partitions.length;
  for (const after of record.partitions) {
    if (after.partition > count) {
      return `partition ${after.partition} would leave a hole`;
    }
    count = Math.max(count, after.partition + 1);
    const why = stateViolation(after) ?? stepViolation(topic.partitions[after.partition], after);
    if (why !== undefined) {
      return `${topic.name}-${after.partition}: ${why}`;
    }
  }
  return undefined;
}

function stateViolation(state: PartitionState): string | undefined {
  const members = new Set([...state.voters, ...state.outgoing]);
  if (state.voters.length === 0) {
    return "no voters";
  }
  if ([state.voters, state.outgoing, state.learners, state.lost].some((set) => new Set(set).size !== set.length)) {
    return "a replica is named twice";
  }
  if (state.lost.some((id) => !members.has(id))) {
    return "lost holds a replica that does not vote";
  }
  if (state.learners.some((id) => members.has(id))) {
    return "a learner is a voter as well";
  }
  if (state.leader !== noLeader && !members.has(state.leader)) {
    return `leader ${state.leader} does not vote`;
  }
  return state.intendedEpoch < state.leaderEpoch ? "intended epoch is behind the leader epoch" : undefined;
}

function stepViolation(before: PartitionState | undefined, after: PartitionState): string | undefined {
  if (before === undefined) {
    return undefined;
  }
  if (after.partitionEpoch <= before.partitionEpoch) {
    return `partition epoch ${after.partitionEpoch} does not rise above ${before.partitionEpoch}`;
  }
  if (after.leaderEpoch < before.leaderEpoch || after.intendedEpoch < before.intendedEpoch) {
    return "leader or intended epoch goes back";
  }
  const sameEpoch = after.leaderEpoch === before.leaderEpoch;
  if (sameEpoch && after.leader !== before.leader && after.leader !== noLeader) {
    return `epoch ${after.leaderEpoch} would have a second leader`;
  }
  return after.logStartOffset < before.logStartOffset ? "log start goes back" : undefined;
}

function intentionViolation(image: MetadataImage, record: ElectionIntended): string | undefined {
  const topic = image.topics.get(record.topicId);
  for (const { partition, partitionEpoch, intendedEpoch } of record.partitions) {
    const before = topic?.partitions[partition];
    if (before === undefined) {
      return `partition ${record.topicId}-${partition} does not exist`;
    }
    // The same epoch may be intended again, by a new controller that gathers the evidence anew.
    if (partitionEpoch <= before.partitionEpoch || intendedEpoch < before.intendedEpoch) {
      return `${record.topicId}-${partition}: an intention must raise the partition epoch and never the epoch back`;
    }
  }
  return undefined;
}
