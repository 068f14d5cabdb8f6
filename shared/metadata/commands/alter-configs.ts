/** Changes configurations: of topics of one logical cluster, or of the cell (Kafka's cluster-wide broker defaults). */
import { cellConfigTable } from "../configs/cell-config-table.ts";
import { type ConfigDefinition, listItems } from "../configs/config-definition.ts";
import { effectiveCellValue, effectiveTopicValue, type Overrides } from "../configs/effective-config.ts";
import { topicConfigTable } from "../configs/topic-config-table.ts";
import type { MetadataImage, TopicImage } from "../image/metadata-image.ts";
import type { LogicalClusterId, MetadataRecord } from "../records/record.ts";
import { type CommandError, refused } from "./command-error.ts";
import { conflict, overridesFault, trimmed } from "./config-changes.ts";
import type { Decision } from "./decision.ts";
import { configResourcesPerRequestMax } from "./limits.ts";
import { RecordBudget } from "./record-budget.ts";

/** Replaces all overrides of each resource (Kafka's AlterConfigs). */
export interface AlterConfigsCommand {
  readonly kind: "alter-configs";
  readonly lkc: LogicalClusterId;
  readonly resources: readonly { readonly resource: ConfigResource; readonly configs: Overrides }[];
  readonly validateOnly: boolean;
}

/** Changes single overrides of each resource (Kafka's IncrementalAlterConfigs). */
export interface IncrementalAlterConfigsCommand {
  readonly kind: "incremental-alter-configs";
  readonly lkc: LogicalClusterId;
  readonly resources: readonly { readonly resource: ConfigResource; readonly changes: readonly ConfigChange[] }[];
  readonly validateOnly: boolean;
}

/** Replaces the overrides of the cell: the operator's own way, without a tenant. */
export interface SetCellConfigsCommand {
  readonly kind: "set-cell-configs";
  readonly configs: Overrides;
}

/** The caller has checked that the principal may change it; `cell` is every tenant's. */
export type ConfigResource = { readonly type: "topic"; readonly name: string } | { readonly type: "cell" };

export type ConfigChange =
  | { readonly op: "set" | "append" | "subtract"; readonly name: string; readonly value: string }
  | { readonly op: "delete"; readonly name: string };

export interface AlterConfigsReply {
  /** In the order of the command. */
  readonly resources: readonly AlteredResource[];
}

export type AlteredResource =
  | { readonly kind: "altered"; readonly resource: ConfigResource }
  | (CommandError & { readonly resource: ConfigResource });

export type SetCellConfigsReply = { readonly kind: "done" } | CommandError;

/** One kind of resource: where its overrides are, what they may be, and how they are written. */
interface Target {
  readonly kind: "target";
  readonly table: ReadonlyMap<string, ConfigDefinition>;
  readonly overrides: Overrides;
  readonly effective: (name: string) => string;
  /** Why the overrides, each of them fine, do not go together. */
  readonly conflict: (configs: Overrides) => CommandError | undefined;
  readonly record: (configs: Overrides) => MetadataRecord;
}

type NewOverrides = { readonly kind: "new"; readonly configs: Overrides } | CommandError;

export function decideAlterConfigs(image: MetadataImage, command: AlterConfigsCommand): Decision<AlterConfigsReply> {
  return alterAll(image, command, ({ configs }) => ({ kind: "new", configs }));
}

export function decideIncrementalAlterConfigs(
  image: MetadataImage,
  command: IncrementalAlterConfigsCommand,
): Decision<AlterConfigsReply> {
  return alterAll(image, command, ({ changes }, target) => changed(target, changes));
}

export function decideSetCellConfigs(
  image: MetadataImage,
  command: SetCellConfigsCommand,
): Decision<SetCellConfigsReply> {
  const target = cellTarget(image);
  const record = target.record(trimmed(command.configs));
  const budget = new RecordBudget(image.featureLevel);
  const fault = newOverridesFault(target, command.configs) ?? budget.take([record]);
  return fault === undefined ? { records: [record], reply: { kind: "done" } } : { records: [], reply: fault };
}

function alterAll<R extends { readonly resource: ConfigResource }>(
  image: MetadataImage,
  command: { readonly lkc: LogicalClusterId; readonly resources: readonly R[]; readonly validateOnly: boolean },
  newOverrides: (request: R, target: Target) => NewOverrides,
): Decision<AlterConfigsReply> {
  const records: MetadataRecord[] = [];
  const seen = new Set<string>();
  const budget = new RecordBudget(image.featureLevel);
  const resources = command.resources.map((request): AlteredResource => {
    const { resource } = request;
    const target = targetOf(image, command.lkc, resource, seen);
    const wanted = target.kind === "target" ? newOverrides(request, target) : target;
    if (target.kind === "failed" || wanted.kind === "failed") {
      return { ...(wanted as CommandError), resource };
    }
    const record = target.record(trimmed(wanted.configs));
    const fault = newOverridesFault(target, wanted.configs) ?? budget.take([record]);
    if (fault !== undefined) {
      return { ...fault, resource };
    }
    records.push(record);
    return { kind: "altered", resource };
  });
  return { records: command.validateOnly ? [] : records, reply: { resources } };
}

function targetOf(
  image: MetadataImage,
  lkc: LogicalClusterId,
  resource: ConfigResource,
  seen: Set<string>,
): Target | CommandError {
  const key = resource.type === "topic" ? `topic ${resource.name}` : "cell";
  if (seen.has(key)) {
    return refused("INVALID_REQUEST", "The resource is named twice.");
  }
  if (seen.size === configResourcesPerRequestMax) {
    return refused("POLICY_VIOLATION", `A request may change ${configResourcesPerRequestMax} resources at most.`);
  }
  seen.add(key);
  if (resource.type === "cell") {
    return cellTarget(image);
  }
  const topic = image.topicsOf(lkc)?.get(resource.name);
  return topic === undefined
    ? refused("UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition.")
    : topicTarget(image, topic);
}

function cellTarget(image: MetadataImage): Target {
  return {
    kind: "target",
    table: cellConfigTable,
    overrides: image.cellConfigs,
    effective: (name) => effectiveCellValue(name, image.cellConfigs),
    conflict: (configs) => conflict((name) => effectiveCellValue(name, configs), "log.cleaner."),
    record: (configs) => ({ type: "cell-config-replaced", configs }),
  };
}

function topicTarget(image: MetadataImage, topic: TopicImage): Target {
  const { topicId, lkc, name, createdMs } = topic;
  return {
    kind: "target",
    table: topicConfigTable,
    overrides: topic.configs,
    effective: (config) => effectiveTopicValue(config, topic.configs, image.cellConfigs),
    conflict: (configs) => conflict((config) => effectiveTopicValue(config, configs, image.cellConfigs)),
    record: (configs) => ({ type: "topic-upserted", topicId, lkc, name, createdMs, configs }),
  };
}

/** Overrides are checked whole; those of the cell that are fixed may only be restated. */
function newOverridesFault(target: Target, configs: Overrides): CommandError | undefined {
  const fixed = Object.keys(configs).find((name) => {
    const definition = cellConfigTable.get(name);
    return target.table === cellConfigTable && definition?.dynamic === false;
  });
  return fixed === undefined
    ? (overridesFault(configs, target.table) ?? target.conflict(trimmed(configs)))
    : refused("INVALID_CONFIG", `${fixed} cannot be changed.`);
}

function changed(target: Target, changes: readonly ConfigChange[]): NewOverrides {
  const names = changes.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    return refused("INVALID_REQUEST", "A configuration is named twice.");
  }
  const configs: Record<string, string> = { ...target.overrides };
  for (const change of changes) {
    const definition = target.table.get(change.name);
    if (definition === undefined) {
      return refused("INVALID_CONFIG", `Unknown configuration ${change.name}.`);
    }
    if (change.op === "delete") {
      delete configs[change.name];
    } else if (change.op === "set") {
      configs[change.name] = change.value;
    } else if (definition.type === "LIST") {
      configs[change.name] = edited(listItems(target.effective(change.name)), change.op, change.value);
    } else {
      return refused("INVALID_CONFIG", `${change.name} is no list: ${change.op} is not possible.`);
    }
  }
  return { kind: "new", configs };
}

/** Appending what is there already, or taking away what is not, changes nothing. */
function edited(present: readonly string[], op: "append" | "subtract", value: string): string {
  const items = listItems(value);
  const result =
    op === "append"
      ? [...present, ...items.filter((item) => !present.includes(item))]
      : present.filter((item) => !items.includes(item));
  return result.join(",");
}
