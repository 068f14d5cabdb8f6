/** Creates topics of one logical cluster, each for itself: one that is refused does not keep the others from being made. */

import {
  describeTopicConfigs,
  type EffectiveConfig,
  effectiveCellValue,
  effectiveTopicValue,
  type Overrides,
} from "../configs/effective-config.ts";
import { topicConfigTable } from "../configs/topic-config-table.ts";
import type { MetadataImage } from "../image/metadata-image.ts";
import type { BrokerId, LogicalClusterId, MetadataRecord, TopicId } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import { conflict, overridesFault, trimmed } from "./config-changes.ts";
import type { Decision } from "./decision.ts";
import { partitionsPerRequestMax, partitionsPerTopicMax, topicsPerRequestMax } from "./limits.ts";
import { assignmentFault, firstState, type ManualAssignment, placeReplicas } from "./new-partitions.ts";
import { RecordBudget } from "./record-budget.ts";
import { canCollide, collisionForm, topicNameFault } from "./topic-name.ts";

export interface CreateTopicsCommand {
  readonly kind: "create-topics";
  readonly lkc: LogicalClusterId;
  readonly topics: readonly NewTopic[];
  /** Only tells what would happen. */
  readonly validateOnly: boolean;
}

export interface NewTopic {
  readonly name: string;
  /** -1: the cell's default (`num.partitions`), or as many as `assignment` has. */
  readonly partitions: number;
  /** -1: the cell's default (`default.replication.factor`), or as many as `assignment` has. */
  readonly replicationFactor: number;
  /** Replicas by partition, the first one to lead; undefined lets the cell choose. */
  readonly assignment?: ManualAssignment;
  readonly configs: Overrides;
}

export interface CreateTopicsReply {
  /** In the order of the command. */
  readonly topics: readonly CreatedTopic[];
}

export type CreatedTopic =
  | {
      readonly kind: "created";
      readonly name: string;
      readonly topicId: TopicId;
      readonly partitions: number;
      readonly replicationFactor: number;
      readonly configs: readonly EffectiveConfig[];
    }
  | (CommandError & { readonly name: string });

/** What has been given out while the topics of one command are looked at. */
interface Progress {
  readonly names: Set<string>;
  readonly collisionForms: Set<string>;
  partitions: number;
  topics: number;
}

export function decideCreateTopics(
  image: MetadataImage,
  command: CreateTopicsCommand,
  context: CommandContext,
): Decision<CreateTopicsReply> {
  const twice = namesTwice(command.topics);
  const progress: Progress = {
    names: new Set(),
    collisionForms: collisionForms(image, command),
    partitions: 0,
    topics: 0,
  };
  const records: MetadataRecord[] = [];
  const budget = new RecordBudget(image.featureLevel);
  const topics = command.topics.map((topic): CreatedTopic => {
    const checked = checkTopic(image, command, topic, twice, progress) ?? checkPlace(image, context, topic, progress);
    if (checked.kind === "failed") {
      return { ...checked, name: topic.name };
    }
    const made = topicRecords(command.lkc, topic, checked.replicas, context);
    const overBudget = budget.take(made);
    if (overBudget !== undefined) {
      return { ...overBudget, name: topic.name };
    }
    records.push(...made);
    progress.partitions += checked.replicas.length;
    progress.topics += 1;
    progress.collisionForms.add(collisionForm(topic.name));
    return {
      kind: "created",
      name: topic.name,
      topicId: made[0].topicId,
      partitions: checked.replicas.length,
      replicationFactor: checked.replicas[0]?.length ?? 0,
      configs: describeTopicConfigs(made[0].configs, image.cellConfigs),
    };
  });
  return { records: command.validateOnly ? [] : records, reply: { topics } };
}

function topicRecords(
  lkc: LogicalClusterId,
  topic: NewTopic,
  replicas: readonly (readonly BrokerId[])[],
  context: CommandContext,
) {
  const topicId = context.randomId();
  const partitions = replicas.map((voters, partition) => firstState(partition, voters, context));
  return [
    {
      type: "topic-upserted",
      topicId,
      lkc,
      name: topic.name,
      createdMs: context.wallMs,
      configs: trimmed(topic.configs),
    },
    { type: "partitions-upserted", topicId, partitions },
  ] as const satisfies readonly MetadataRecord[];
}

function checkTopic(
  image: MetadataImage,
  command: CreateTopicsCommand,
  topic: NewTopic,
  twice: ReadonlySet<string>,
  progress: Progress,
): CommandError | undefined {
  if (!image.logicalClusters.has(command.lkc)) {
    return refused("INVALID_REQUEST", "The logical cluster does not exist.");
  }
  if (twice.has(topic.name)) {
    return refused("INVALID_REQUEST", "Duplicate topic name.");
  }
  if (command.topics.length > topicsPerRequestMax) {
    return refused("POLICY_VIOLATION", `A request may create ${topicsPerRequestMax} topics at most.`);
  }
  const nameFault = topicNameFault(topic.name);
  if (nameFault !== undefined) {
    return refused("INVALID_TOPIC_EXCEPTION", nameFault);
  }
  if (image.topicsOf(command.lkc)?.has(topic.name)) {
    return refused("TOPIC_ALREADY_EXISTS", `Topic '${topic.name}' already exists.`);
  }
  if (canCollide(topic.name) && progress.collisionForms.has(collisionForm(topic.name))) {
    return refused(
      "INVALID_TOPIC_EXCEPTION",
      `Topic '${topic.name}' collides with an existing topic: names may not differ in '.' and '_' only.`,
    );
  }
  const effective = (name: string) => effectiveTopicValue(name, trimmed(topic.configs), image.cellConfigs);
  return overridesFault(topic.configs, topicConfigTable) ?? conflict(effective);
}

function checkPlace(image: MetadataImage, context: CommandContext, topic: NewTopic, progress: Progress) {
  const count = partitionCount(image, topic);
  if (typeof count !== "number") {
    return count;
  }
  if (progress.partitions + count > partitionsPerRequestMax) {
    return refused("POLICY_VIOLATION", `A request may create ${partitionsPerRequestMax} partitions at most.`);
  }
  if (topic.assignment !== undefined) {
    return assignmentFault(image, topic.assignment) ?? { kind: "placed" as const, replicas: topic.assignment };
  }
  const factor = topic.replicationFactor;
  return placeReplicas(image, context, {
    partitions: count,
    replicationFactor:
      factor === -1 ? Number(effectiveCellValue("default.replication.factor", image.cellConfigs)) : factor,
    startIndex: image.topics.size + progress.topics,
  });
}

function partitionCount(image: MetadataImage, topic: NewTopic): number | CommandError {
  const { assignment, partitions } = topic;
  if (assignment !== undefined) {
    const contradicts =
      (partitions !== -1 && partitions !== assignment.length) ||
      (topic.replicationFactor !== -1 && topic.replicationFactor !== assignment[0]?.length);
    if (contradicts) {
      return refused("INVALID_REQUEST", "Partitions and replication factor must be -1 when replicas are assigned.");
    }
    return assignment.length > 0
      ? assignment.length
      : refused("INVALID_REPLICA_ASSIGNMENT", "The assignment is empty.");
  }
  const wanted = partitions === -1 ? Number(effectiveCellValue("num.partitions", image.cellConfigs)) : partitions;
  return wanted >= 1 && wanted <= partitionsPerTopicMax
    ? wanted
    : refused(
        "INVALID_PARTITIONS",
        `Number of partitions must be from 1 to ${partitionsPerTopicMax}, or -1 for the default.`,
      );
}

function namesTwice(topics: readonly NewTopic[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of topics) {
    if (seen.has(name)) {
      twice.add(name);
    }
    seen.add(name);
  }
  return twice;
}

/** Only looked through when a name of the command could collide. */
function collisionForms(image: MetadataImage, command: CreateTopicsCommand): Set<string> {
  if (!command.topics.some(({ name }) => canCollide(name))) {
    return new Set();
  }
  const names = [...(image.topicsOf(command.lkc)?.keys() ?? [])];
  return new Set(names.filter(canCollide).map(collisionForm));
}
