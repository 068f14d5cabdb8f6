import type {
  ApiKeyUpserted,
  BrokerId,
  BrokerRegistered,
  LogicalClusterId,
  LogicalClusterUpserted,
  MetadataSeq,
  PartitionState,
  TopicId,
} from "../records/record.ts";

export interface TopicImage {
  readonly topicId: TopicId;
  readonly lkc: LogicalClusterId;
  readonly name: string;
  readonly createdMs: number;
  readonly configs: Readonly<Record<string, string>>;
  /** By partition number, dense. */
  readonly partitions: readonly PartitionState[];
}

/**
 * The state that the metadata log makes, up to entry `seq`. Only the replay writes it (in place: applying a delta costs
 * its own size); topics, partitions and other values are replaced, never changed, so a value once read stays as it was.
 */
export interface MetadataImage {
  readonly cell: string;
  /** Last applied entry; 0 when none was. */
  readonly seq: MetadataSeq;
  readonly featureLevel: number;
  readonly controller: { readonly brokerId: BrokerId; readonly controllerEpoch: number } | undefined;
  readonly brokers: ReadonlyMap<BrokerId, BrokerRegistered>;
  readonly logicalClusters: ReadonlyMap<LogicalClusterId, LogicalClusterUpserted>;
  readonly apiKeys: ReadonlyMap<string, ApiKeyUpserted>;
  readonly topics: ReadonlyMap<TopicId, TopicImage>;
  readonly cellConfigs: Readonly<Record<string, string>>;
  /** First producer id never given out. */
  readonly nextProducerId: number;
  /** Above every broker id that was ever registered. */
  readonly nextBrokerId: BrokerId;
  /** Ids of brokers that were unregistered: bound to their data for ever, never given again (DESIGN section 5). */
  readonly retiredBrokerIds: ReadonlySet<BrokerId>;
  /** A tenant's topics by name; undefined when it has none. The only way from a name to a topic. */
  topicsOf(lkc: LogicalClusterId): ReadonlyMap<string, TopicImage> | undefined;
}

/** What one entry changed; handed to subscribers after the whole entry was applied. */
export interface MetadataDelta {
  readonly seq: MetadataSeq;
  /** Topics created or changed in any way (partitions, leaders, configs). */
  readonly topicsChanged: ReadonlyMap<TopicId, { readonly partitions: ReadonlySet<number>; readonly configs: boolean }>;
  readonly topicsDeleted: ReadonlyMap<TopicId, TopicImage>;
  readonly brokersChanged: ReadonlySet<BrokerId>;
  readonly apiKeysChanged: ReadonlySet<string>;
  readonly logicalClustersChanged: ReadonlySet<LogicalClusterId>;
  readonly controllerChanged: boolean;
  readonly cellConfigsChanged: boolean;
  /** The image was replaced by a snapshot: everything may have changed. */
  readonly reset: boolean;
}
