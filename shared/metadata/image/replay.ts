/**
 * The one way in which an image changes: the records of an entry are applied to it, on every broker and router alike.
 * Replay is total: what cannot be (a partition of a topic that is gone) changes nothing, so that no entry that got into
 * the log can stop its readers. Writers check `violation` (invariants.ts) first.
 */
import type {
  ApiKeyDeleted,
  ApiKeyUpserted,
  BrokerId,
  BrokerRegistered,
  BrokerUnregistered,
  ElectionIntended,
  LogicalClusterDeleted,
  LogicalClusterId,
  LogicalClusterUpserted,
  MetadataRecord,
  MetadataSeq,
  PartitionState,
  PartitionsUpserted,
  ProducerIdsAllocated,
  TopicDeleted,
  TopicId,
  TopicUpserted,
} from "../records/record.ts";
import type { ImageState } from "./image-state.ts";
import type { MetadataDelta, TopicImage } from "./metadata-image.ts";

interface TopicChange {
  readonly partitions: Set<number>;
  configs: boolean;
}

class DeltaState implements MetadataDelta {
  readonly seq: MetadataSeq;
  readonly topicsChanged = new Map<TopicId, TopicChange>();
  readonly topicsDeleted = new Map<TopicId, TopicImage>();
  readonly brokersChanged = new Set<BrokerId>();
  readonly apiKeysChanged = new Set<string>();
  readonly logicalClustersChanged = new Set<LogicalClusterId>();
  controllerChanged = false;
  cellConfigsChanged = false;
  readonly reset = false;

  constructor(seq: MetadataSeq) {
    this.seq = seq;
  }

  topic(topicId: TopicId): TopicChange {
    let change = this.topicsChanged.get(topicId);
    if (change === undefined) {
      change = { partitions: new Set(), configs: false };
      this.topicsChanged.set(topicId, change);
    }
    return change;
  }
}

/** Applies entry `seq`, which must be the next one, and tells what it changed. */
export function replay(state: ImageState, seq: MetadataSeq, records: readonly MetadataRecord[]): MetadataDelta {
  if (seq !== state.seq + 1) {
    throw new Error(`entry ${seq} cannot be applied to an image at ${state.seq}`);
  }
  const delta = new DeltaState(seq);
  for (const record of records) {
    replayRecord(state, delta, record);
  }
  state.seq = seq;
  return delta;
}

/** Applies records that carry no number of their own: those of a snapshot, or a change that is only tried. */
export function replayUnnumbered(state: ImageState, records: Iterable<MetadataRecord>): void {
  const delta = new DeltaState(state.seq);
  for (const record of records) {
    replayRecord(state, delta, record);
  }
}

function replayRecord(state: ImageState, delta: DeltaState, record: MetadataRecord): void {
  switch (record.type) {
    case "feature-level-raised":
      state.featureLevel = Math.max(state.featureLevel, record.level);
      return;
    case "controller-elected":
      state.controller = { brokerId: record.brokerId, controllerEpoch: record.controllerEpoch };
      delta.controllerChanged = true;
      return;
    case "broker-registered":
    case "broker-unregistered":
      return replayBroker(state, delta, record);
    case "logical-cluster-upserted":
    case "logical-cluster-deleted":
      return replayLogicalCluster(state, delta, record);
    case "api-key-upserted":
    case "api-key-deleted":
      return replayApiKey(state, delta, record);
    case "topic-upserted":
      return replayTopicUpserted(state, delta, record);
    case "topic-deleted":
      return replayTopicDeleted(state, delta, record);
    case "partitions-upserted":
      return replayPartitions(state, delta, record);
    case "election-intended":
      return replayElectionIntended(state, delta, record);
    case "cell-config-replaced":
      state.cellConfigs = record.configs;
      delta.cellConfigsChanged = true;
      return;
    case "producer-ids-allocated":
      return replayProducerIds(state, record);
  }
}

function replayBroker(state: ImageState, delta: DeltaState, record: BrokerRegistered | BrokerUnregistered): void {
  if (record.type === "broker-registered") {
    state.brokers.set(record.brokerId, record);
    state.nextBrokerId = Math.max(state.nextBrokerId, record.brokerId + 1);
  } else {
    state.brokers.delete(record.brokerId);
    state.retiredBrokerIds.add(record.brokerId);
  }
  delta.brokersChanged.add(record.brokerId);
}

/** A logical cluster takes its topics and keys with it. */
function replayLogicalCluster(
  state: ImageState,
  delta: DeltaState,
  record: LogicalClusterUpserted | LogicalClusterDeleted,
): void {
  delta.logicalClustersChanged.add(record.lkc);
  if (record.type === "logical-cluster-upserted") {
    state.logicalClusters.set(record.lkc, record);
    return;
  }
  state.logicalClusters.delete(record.lkc);
  // Copied: the loops take away what they walk over.
  for (const topic of Array.from(state.topicsOf(record.lkc)?.values() ?? [])) {
    dropTopic(state, delta, topic);
  }
  for (const keyId of Array.from(state.apiKeysOf(record.lkc))) {
    state.deleteApiKey(keyId);
    delta.apiKeysChanged.add(keyId);
  }
}

function replayApiKey(state: ImageState, delta: DeltaState, record: ApiKeyUpserted | ApiKeyDeleted): void {
  if (record.type === "api-key-upserted") {
    // The functions that append keys do not know the image: without its cluster a key would be nobody's.
    if (!state.logicalClusters.has(record.lkc)) return;
    state.setApiKey(record);
  } else {
    state.deleteApiKey(record.keyId);
  }
  delta.apiKeysChanged.add(record.keyId);
}

/** A topic keeps its partitions, tenant, name and time of creation; only its configs can change. */
function replayTopicUpserted(state: ImageState, delta: DeltaState, record: TopicUpserted): void {
  const present = state.topics.get(record.topicId);
  if (present !== undefined) {
    state.setTopic({ ...present, configs: record.configs });
  } else {
    const { topicId, lkc, name, createdMs, configs } = record;
    state.setTopic({ topicId, lkc, name, createdMs, configs, partitions: [] });
  }
  delta.topic(record.topicId).configs = true;
}

function replayTopicDeleted(state: ImageState, delta: DeltaState, record: TopicDeleted): void {
  const topic = state.topics.get(record.topicId);
  if (topic !== undefined) {
    dropTopic(state, delta, topic);
  }
}

function dropTopic(state: ImageState, delta: DeltaState, topic: TopicImage): void {
  state.deleteTopic(topic);
  delta.topicsChanged.delete(topic.topicId);
  delta.topicsDeleted.set(topic.topicId, topic);
}

function replayPartitions(state: ImageState, delta: DeltaState, record: PartitionsUpserted): void {
  replacePartitions(state, delta, record.topicId, record.partitions);
}

function replayElectionIntended(state: ImageState, delta: DeltaState, record: ElectionIntended): void {
  const present = state.topics.get(record.topicId)?.partitions ?? [];
  const changed: PartitionState[] = [];
  for (const { partition, partitionEpoch, intendedEpoch } of record.partitions) {
    const before = present[partition];
    if (before !== undefined) {
      changed.push({ ...before, partitionEpoch, intendedEpoch });
    }
  }
  replacePartitions(state, delta, record.topicId, changed);
}

/** Copies the topic's list of partitions once a record; partitions that would leave a hole in it are passed over. */
function replacePartitions(
  state: ImageState,
  delta: DeltaState,
  topicId: TopicId,
  changed: readonly PartitionState[],
): void {
  const topic = state.topics.get(topicId);
  if (topic === undefined || changed.length === 0) {
    return;
  }
  const partitions = [...topic.partitions];
  const marks = delta.topic(topicId).partitions;
  for (const partition of changed) {
    if (partition.partition <= partitions.length) {
      partitions[partition.partition] = partition;
      marks.add(partition.partition);
    }
  }
  state.setTopic({ ...topic, partitions });
}

function replayProducerIds(state: ImageState, record: ProducerIdsAllocated): void {
  state.nextProducerId = Math.max(state.nextProducerId, record.first + record.count);
}
