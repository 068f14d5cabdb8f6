/** Adds partitions to topics of one logical cluster, each topic for itself. Partitions are never taken away. */
import type { MetadataImage, TopicImage } from "../image/metadata-image.ts";
import type { LogicalClusterId, MetadataRecord } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { partitionsPerRequestMax, partitionsPerTopicMax } from "./limits.ts";
import {
  assignmentFault,
  firstState,
  type ManualAssignment,
  type PlacedReplicas,
  placeReplicas,
} from "./new-partitions.ts";
import { RecordBudget } from "./record-budget.ts";

export interface CreatePartitionsCommand {
  readonly kind: "create-partitions";
  readonly lkc: LogicalClusterId;
  readonly topics: readonly TopicGrowth[];
  readonly validateOnly: boolean;
}

export interface TopicGrowth {
  readonly name: string;
  /** Partitions that the topic shall have in all. */
  readonly count: number;
  /** Replicas of the added partitions, in order; undefined lets the cell choose. */
  readonly assignment?: ManualAssignment;
}

export interface CreatePartitionsReply {
  /** In the order of the command. */
  readonly topics: readonly GrownTopic[];
}

export type GrownTopic =
  | { readonly kind: "grown"; readonly name: string; readonly partitions: number }
  | (CommandError & { readonly name: string });

export function decideCreatePartitions(
  image: MetadataImage,
  command: CreatePartitionsCommand,
  context: CommandContext,
): Decision<CreatePartitionsReply> {
  const records: MetadataRecord[] = [];
  const budget = new RecordBudget(image.featureLevel);
  const seen = new Set<string>();
  let added = 0;
  const topics = command.topics.map((growth): GrownTopic => {
    const topic = image.topicsOf(command.lkc)?.get(growth.name);
    const fault = growthFault(topic, growth, seen, added);
    seen.add(growth.name);
    if (topic === undefined || fault !== undefined) {
      return { ...(fault ?? unknownTopic), name: growth.name };
    }
    const placed = place(image, topic, growth, context);
    if (placed.kind === "failed") {
      return { ...placed, name: growth.name };
    }
    const before = topic.partitions.length;
    const partitions = placed.replicas.map((replicas, index) => firstState(before + index, replicas, context));
    const record: MetadataRecord = { type: "partitions-upserted", topicId: topic.topicId, partitions };
    const overBudget = budget.take([record]);
    if (overBudget !== undefined) {
      return { ...overBudget, name: growth.name };
    }
    records.push(record);
    added += partitions.length;
    return { kind: "grown", name: growth.name, partitions: growth.count };
  });
  return { records: command.validateOnly ? [] : records, reply: { topics } };
}

const unknownTopic = refused("UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition.");

function growthFault(
  topic: TopicImage | undefined,
  growth: TopicGrowth,
  seen: ReadonlySet<string>,
  added: number,
): CommandError | undefined {
  if (topic === undefined) {
    return unknownTopic;
  }
  if (seen.has(growth.name)) {
    return refused("INVALID_REQUEST", "The topic is named twice.");
  }
  const before = topic.partitions.length;
  if (growth.count === before) {
    return refused("INVALID_PARTITIONS", `Topic already has ${before} partition(s).`);
  }
  if (growth.count < before || growth.count > partitionsPerTopicMax) {
    return refused(
      "INVALID_PARTITIONS",
      `The topic has ${before} partition(s) and can be given up to ${partitionsPerTopicMax}, not ${growth.count}.`,
    );
  }
  if (added + growth.count - before > partitionsPerRequestMax) {
    return refused("POLICY_VIOLATION", `A request may create ${partitionsPerRequestMax} partitions at most.`);
  }
  if (growth.assignment !== undefined && growth.assignment.length !== growth.count - before) {
    return refused(
      "INVALID_REPLICA_ASSIGNMENT",
      `${growth.count - before} partition(s) would be added, but ${growth.assignment.length} are assigned.`,
    );
  }
  return undefined;
}

function place(image: MetadataImage, topic: TopicImage, growth: TopicGrowth, context: CommandContext): PlacedReplicas {
  const { assignment } = growth;
  const before = topic.partitions.length;
  const replicationFactor = topic.partitions[0]?.voters.length ?? 1;
  if (assignment === undefined) {
    return placeReplicas(image, context, {
      partitions: growth.count - before,
      replicationFactor,
      startIndex: image.topics.size + before,
    });
  }
  const fault = assignmentFault(image, assignment);
  if (fault !== undefined) {
    return fault;
  }
  return assignment[0]?.length === replicationFactor
    ? { kind: "placed", replicas: assignment }
    : refused("INVALID_REPLICA_ASSIGNMENT", `The topic's partitions have ${replicationFactor} replica(s) each.`);
}
