import { listItems } from "./config-definition.ts";
import { effectiveCellValue, effectiveTopicValue, type Overrides } from "./effective-config.ts";

/** What a topic's partitions obey, parsed. 64-bit values beyond 2^53 - 1 (Kafka's "for ever") are cut to that. */
export interface TopicConfigs {
  readonly cleanupPolicy: readonly ("delete" | "compact")[];
  readonly deleteRetentionMs: number;
  readonly compressionType: "uncompressed" | "zstd" | "lz4" | "snappy" | "gzip" | "producer";
  readonly compressionGzipLevel: number;
  readonly compressionLz4Level: number;
  readonly compressionZstdLevel: number;
  readonly fileDeleteDelayMs: number;
  readonly indexIntervalBytes: number;
  /** -2: as `retentionBytes`. */
  readonly localRetentionBytes: number;
  /** -2: as `retentionMs`. */
  readonly localRetentionMs: number;
  readonly maxCompactionLagMs: number;
  readonly maxMessageBytes: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampType: "CreateTime" | "LogAppendTime";
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly minInsyncReplicas: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  readonly segmentBytes: number;
  readonly segmentIndexBytes: number;
  readonly segmentJitterMs: number;
  readonly segmentMs: number;
}

/** The overrides were checked when they were written, so parsing cannot fail. */
export function parseTopicConfigs(topicConfigs: Overrides, cellConfigs: Overrides): TopicConfigs {
  const text = (name: string) => effectiveTopicValue(name, topicConfigs, cellConfigs);
  const number = (name: string) => safeInteger(text(name));
  return {
    cleanupPolicy: listItems(text("cleanup.policy")) as TopicConfigs["cleanupPolicy"],
    deleteRetentionMs: number("delete.retention.ms"),
    compressionType: text("compression.type") as TopicConfigs["compressionType"],
    compressionGzipLevel: number("compression.gzip.level"),
    compressionLz4Level: number("compression.lz4.level"),
    compressionZstdLevel: number("compression.zstd.level"),
    fileDeleteDelayMs: number("file.delete.delay.ms"),
    indexIntervalBytes: number("index.interval.bytes"),
    localRetentionBytes: number("local.retention.bytes"),
    localRetentionMs: number("local.retention.ms"),
    maxCompactionLagMs: number("max.compaction.lag.ms"),
    maxMessageBytes: number("max.message.bytes"),
    messageTimestampAfterMaxMs: number("message.timestamp.after.max.ms"),
    messageTimestampBeforeMaxMs: number("message.timestamp.before.max.ms"),
    messageTimestampType: text("message.timestamp.type") as TopicConfigs["messageTimestampType"],
    minCleanableDirtyRatio: Number(text("min.cleanable.dirty.ratio")),
    minCompactionLagMs: number("min.compaction.lag.ms"),
    minInsyncReplicas: number("min.insync.replicas"),
    retentionBytes: number("retention.bytes"),
    retentionMs: number("retention.ms"),
    segmentBytes: number("segment.bytes"),
    segmentIndexBytes: number("segment.index.bytes"),
    segmentJitterMs: number("segment.jitter.ms"),
    segmentMs: number("segment.ms"),
  };
}

/** What the cell's brokers obey, parsed. */
export interface CellConfigs {
  readonly autoCreateTopicsEnable: boolean;
  readonly defaultReplicationFactor: number;
  readonly numPartitions: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSize: number;
  readonly offsetsRetentionMs: number;
  readonly offsetMetadataMaxBytes: number;
  readonly transactionMaxTimeoutMs: number;
  readonly transactionalIdExpirationMs: number;
  readonly producerIdExpirationMs: number;
  readonly fetchMaxBytes: number;
  readonly logCleanerEnable: boolean;
  readonly logCleanerBackoffMs: number;
  readonly logCleanerDedupeBufferBytes: number;
  readonly logCleanerIoBytesPerSecond: number;
}

const msPerMinute = 60_000;

export function parseCellConfigs(cellConfigs: Overrides): CellConfigs {
  const text = (name: string) => effectiveCellValue(name, cellConfigs);
  const number = (name: string) => safeInteger(text(name));
  return {
    autoCreateTopicsEnable: text("auto.create.topics.enable") === "true",
    defaultReplicationFactor: number("default.replication.factor"),
    numPartitions: number("num.partitions"),
    groupInitialRebalanceDelayMs: number("group.initial.rebalance.delay.ms"),
    groupMaxSessionTimeoutMs: number("group.max.session.timeout.ms"),
    groupMinSessionTimeoutMs: number("group.min.session.timeout.ms"),
    groupMaxSize: number("group.max.size"),
    offsetsRetentionMs: number("offsets.retention.minutes") * msPerMinute,
    offsetMetadataMaxBytes: number("offset.metadata.max.bytes"),
    transactionMaxTimeoutMs: number("transaction.max.timeout.ms"),
    transactionalIdExpirationMs: number("transactional.id.expiration.ms"),
    producerIdExpirationMs: number("producer.id.expiration.ms"),
    fetchMaxBytes: number("fetch.max.bytes"),
    logCleanerEnable: text("log.cleaner.enable") === "true",
    logCleanerBackoffMs: number("log.cleaner.backoff.ms"),
    logCleanerDedupeBufferBytes: number("log.cleaner.dedupe.buffer.size"),
    logCleanerIoBytesPerSecond: Number(text("log.cleaner.io.max.bytes.per.second")),
  };
}

function safeInteger(text: string): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}
