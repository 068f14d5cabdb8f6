/** Makes the topics in which the cell keeps the state of its coordinators, unless they are there already. */
import { internalLogicalCluster } from "../../tenancy/logical-cluster-id.ts";
import { effectiveCellValue } from "../configs/effective-config.ts";
import type { MetadataImage } from "../image/metadata-image.ts";
import type { MetadataRecord, TopicId } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandError } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { firstState, placeReplicas } from "./new-partitions.ts";

/** Groups and their committed offsets; Kafka's name for it. Of the internal logical cluster: tenants never see it. */
export const offsetsTopicName = "__consumer_offsets";

export interface EnsureInternalTopicsCommand {
  readonly kind: "ensure-internal-topics";
}

export type EnsureInternalTopicsReply = { readonly kind: "done"; readonly offsetsTopicId: TopicId } | CommandError;

/**
 * Small segments keep a failover short: a new coordinator reads the partition, which compaction keeps close to what is
 * alive in it, but for the segment that grows. A group's state is one record, and may be larger than a tenant's records.
 */
const offsetsTopicConfigs: Readonly<Record<string, string>> = {
  "cleanup.policy": "compact",
  "compression.type": "producer",
  "max.message.bytes": "8388608",
  "message.timestamp.type": "CreateTime",
  "segment.bytes": "16777216",
};

export function decideEnsureInternalTopics(
  image: MetadataImage,
  _command: EnsureInternalTopicsCommand,
  context: CommandContext,
): Decision<EnsureInternalTopicsReply> {
  const present = image.topicsOf(internalLogicalCluster)?.get(offsetsTopicName);
  if (present !== undefined) {
    return { records: [], reply: { kind: "done", offsetsTopicId: present.topicId } };
  }
  const number = (name: string) => Number(effectiveCellValue(name, image.cellConfigs));
  const placed = placeReplicas(image, context, {
    partitions: number("offsets.topic.num.partitions"),
    replicationFactor: number("offsets.topic.replication.factor"),
    startIndex: 0,
  });
  if (placed.kind === "failed") {
    return { records: [], reply: placed };
  }
  const topicId = context.randomId();
  const createdMs = context.wallMs;
  const records: MetadataRecord[] = [];
  if (!image.logicalClusters.has(internalLogicalCluster)) {
    records.push({ type: "logical-cluster-upserted", lkc: internalLogicalCluster, name: "internal", createdMs });
  }
  records.push(
    {
      type: "topic-upserted",
      topicId,
      lkc: internalLogicalCluster,
      name: offsetsTopicName,
      createdMs,
      configs: offsetsTopicConfigs,
    },
    {
      type: "partitions-upserted",
      topicId,
      partitions: placed.replicas.map((voters, partition) => firstState(partition, voters, context)),
    },
  );
  return { records, reply: { kind: "done", offsetsTopicId: topicId } };
}
