import { parseTopicConfigs, type TopicConfigs } from "../../shared/metadata/configs/topic-configs.ts";
import type { MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { LogConfig } from "../log/log-contract.ts";

/** The topic configs that a partition obeys, and the log's share of them. */
export interface PartitionSettings {
  readonly topic: TopicConfigs;
  readonly log: LogConfig;
}

/** The settings of a topic as the image has them: its overrides over the cell's over Kafka's defaults. */
export function partitionSettings(topic: TopicImage, image: MetadataImage): PartitionSettings {
  const configs = parseTopicConfigs(topic.configs, image.cellConfigs);
  return {
    topic: configs,
    log: {
      segmentBytes: configs.segmentBytes,
      segmentMs: configs.segmentMs,
      retentionMs: configs.retentionMs,
      retentionBytes: configs.retentionBytes,
      indexIntervalBytes: configs.indexIntervalBytes,
    },
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
