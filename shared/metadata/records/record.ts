/**
 * The records of a cell's metadata log. An entry of the log is a batch of them, applied whole.
 * Each is a self-contained upsert or deletion keyed by its id, so that replaying one twice changes nothing.
 */

/** 32 lowercase hex digits. */
export type TopicId = string;
/** `lkc-` and 3 or more letters or digits. */
export type LogicalClusterId = string;
export type BrokerId = number;
/** Counts elections of one partition; the leader's term. */
export type LeaderEpoch = number;
/** Raised by every record that changes a partition; evidence gathered under an older one is void (DESIGN section 4). */
export type PartitionEpoch = number;
/** Place of an entry in the cell's log, from 1, without gaps. */
export type MetadataSeq = number;

/** No leader is known: an election has begun or cannot be won. */
export const noLeader: BrokerId = -1;

export interface FeatureLevelRaised {
  readonly type: "feature-level-raised";
  readonly level: number;
}

export interface ControllerElected {
  readonly type: "controller-elected";
  readonly brokerId: BrokerId;
  readonly controllerEpoch: number;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface BrokerRegistered {
  readonly type: "broker-registered";
  readonly brokerId: BrokerId;
  /** Written in the data directory when it was made: binds the id to its data. */
  readonly storageId: string;
  /** New at every start of the process. */
  readonly incarnationId: string;
  readonly zone: string;
  readonly peer: Endpoint;
  /** By listener name: what Metadata answers to a client that came through that listener. */
  readonly listeners: Readonly<Record<string, Endpoint>>;
  /** Highest feature level that this build can read. */
  readonly featureLevelMax: number;
  /**
   * The broker cannot prove that its data survived (local cloud only, after the power cut of a whole cell). It is kept
   * under its id, but is `lost` in every partition in which it votes.
   */
  readonly suspect: boolean;
}

export interface BrokerUnregistered {
  readonly type: "broker-unregistered";
  readonly brokerId: BrokerId;
}

export interface LogicalClusterUpserted {
  readonly type: "logical-cluster-upserted";
  readonly lkc: LogicalClusterId;
  readonly name: string;
  readonly createdMs: number;
  /**
   * Since when it is closed: it admits nobody, and its data is kept so that it can be opened again (by the same record
   * without this) until `logical-cluster-deleted`. Left out: it is open.
   */
  readonly closedMs?: number;
}

/** Final: the cluster is gone with its topics and keys, and its id is never given again. */
export interface LogicalClusterDeleted {
  readonly type: "logical-cluster-deleted";
  readonly lkc: LogicalClusterId;
}

/** Valid whatever came before: the key of a logical cluster that is not there changes nothing. */
export interface ApiKeyUpserted {
  readonly type: "api-key-upserted";
  readonly keyId: string;
  readonly lkc: LogicalClusterId;
  readonly principal: string;
  /** Salted hash of the secret with its format version (`shared/access/api-key-secret.ts`); never the secret. */
  readonly verifier: string;
  readonly createdMs: number;
  /** From then on (Unix milliseconds) it authenticates nobody. Left out: it stands until it is deleted. */
  readonly expiresMs?: number;
}

export interface ApiKeyDeleted {
  readonly type: "api-key-deleted";
  readonly keyId: string;
}

export interface TopicUpserted {
  readonly type: "topic-upserted";
  readonly topicId: TopicId;
  readonly lkc: LogicalClusterId;
  readonly name: string;
  readonly createdMs: number;
  /** Overrides only, by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicDeleted {
  readonly type: "topic-deleted";
  readonly topicId: TopicId;
}

export interface PartitionState {
  readonly partition: number;
  readonly partitionEpoch: PartitionEpoch;
  /** Those whose majority commits and elects. While `outgoing` is not empty, a majority of that set as well. */
  readonly voters: readonly BrokerId[];
  readonly outgoing: readonly BrokerId[];
  readonly learners: readonly BrokerId[];
  /**
   * Those of `voters` and `outgoing` whose data did not survive: they copy like learners, and neither commit, answer a
   * seal nor stand for election until a record takes them out of here. They still count in the size of the majority.
   */
  readonly lost: readonly BrokerId[];
  readonly leader: BrokerId;
  readonly leaderEpoch: LeaderEpoch;
  /** The epoch for which replicas are being sealed; equals `leaderEpoch` when no election is under way. */
  readonly intendedEpoch: LeaderEpoch;
  /** Lower bound of the log start that a majority acknowledged (DeleteRecords, retention), as seal answers told. */
  readonly logStartOffset: number;
}

/** New state of one or more partitions of a topic, each whole. */
export interface PartitionsUpserted {
  readonly type: "partitions-upserted";
  readonly topicId: TopicId;
  readonly partitions: readonly PartitionState[];
}

/** The controller is about to seal these partitions (DESIGN section 5, Failover); raises each partition epoch. */
export interface ElectionIntended {
  readonly type: "election-intended";
  readonly topicId: TopicId;
  readonly partitions: readonly {
    readonly partition: number;
    readonly partitionEpoch: PartitionEpoch;
    readonly intendedEpoch: LeaderEpoch;
  }[];
}

/** Overrides of the cell's broker configs, by Kafka's names; replaces the whole set. */
export interface CellConfigReplaced {
  readonly type: "cell-config-replaced";
  readonly configs: Readonly<Record<string, string>>;
}

/** Producer ids [first, first + count) belong to the broker. */
export interface ProducerIdsAllocated {
  readonly type: "producer-ids-allocated";
  readonly brokerId: BrokerId;
  readonly first: number;
  readonly count: number;
}

export type MetadataRecord =
  | FeatureLevelRaised
  | ControllerElected
  | BrokerRegistered
  | BrokerUnregistered
  | LogicalClusterUpserted
  | LogicalClusterDeleted
  | ApiKeyUpserted
  | ApiKeyDeleted
  | TopicUpserted
  | TopicDeleted
  | PartitionsUpserted
  | ElectionIntended
  | CellConfigReplaced
  | ProducerIdsAllocated;
