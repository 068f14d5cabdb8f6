import { parseCellConfigs, parseTopicConfigs, type TopicConfigs } from "../../shared/metadata/configs/topic-configs.ts";
import type { MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { LogConfig } from "../log/log-contract.ts";
import { unlimited } from "../log/log-retention.ts";
import type { CleanerConfigs } from "./log-cleaner.ts";

/** The topic configs that a partition obeys, and the log's share of them. */
export interface PartitionSettings {
  readonly topic: TopicConfigs;
  readonly log: LogConfig;
}

/** The settings of a topic as the image has them: its overrides over the cell's over Kafka's defaults. */
export function partitionSettings(topic: TopicImage, image: MetadataImage): PartitionSettings {
  const configs = parseTopicConfigs(topic.configs, image.cellConfigs);
  return { topic: configs, log: logConfig(configs) };
}

function logConfig(configs: TopicConfigs): LogConfig {
  const { segmentBytes, segmentMs, retentionMs, retentionBytes, indexIntervalBytes, cleanupPolicy } = configs;
  const isCompacted = cleanupPolicy.includes("compact");
  const isDeleted = cleanupPolicy.includes("delete");
  return {
    segmentBytes,
    // Only what is sealed is compacted: within its longest lag it has to be.
    segmentMs: isCompacted ? Math.min(segmentMs, configs.maxCompactionLagMs) : segmentMs,
    retentionMs: isDeleted ? retentionMs : unlimited,
    retentionBytes: isDeleted ? retentionBytes : unlimited,
    indexIntervalBytes,
    compaction: isCompacted
      ? {
          minDirtyRatio: configs.minCleanableDirtyRatio,
          minLagMs: configs.minCompactionLagMs,
          maxLagMs: configs.maxCompactionLagMs,
          deleteRetentionMs: configs.deleteRetentionMs,
        }
      : undefined,
  };
}

/** What a broker's compaction obeys, as the image has it. */
export function cleanerConfigs(image: MetadataImage): CleanerConfigs {
  const configs = parseCellConfigs(image.cellConfigs);
  return {
    isEnabled: configs.logCleanerEnable,
    backoffMs: configs.logCleanerBackoffMs,
    mapBytesMax: configs.logCleanerDedupeBufferBytes,
    ioBytesPerSecond: configs.logCleanerIoBytesPerSecond,
  };
}

/** Parses each topic's configs once: topics are replaced in the image when they change. */
export function partitionSettingsCache(): (topic: TopicImage, image: MetadataImage) => PartitionSettings {
  let cellConfigs: MetadataImage["cellConfigs"] | undefined;
  let parsed = new WeakMap<TopicImage["configs"], PartitionSettings>();
  return (topic, image) => {
    if (image.cellConfigs !== cellConfigs) {
      cellConfigs = image.cellConfigs;
      parsed = new WeakMap();
    }
    const known = parsed.get(topic.configs);
    if (known !== undefined) return known;
    const settings = partitionSettings(topic, image);
    parsed.set(topic.configs, settings);
    return settings;
  };
}
