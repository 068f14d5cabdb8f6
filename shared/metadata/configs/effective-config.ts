/** What a configuration is in effect, and why: the topic's override, the cell's, or the default. */
import { type CellConfigDefinition, cellConfigTable } from "./cell-config-table.ts";
import type { ConfigDefinition, ConfigType } from "./config-definition.ts";
import { type TopicConfigDefinition, topicConfigTable } from "./topic-config-table.ts";

export type Overrides = Readonly<Record<string, string>>;

/** Kafka's names for where a value comes from. The cell's overrides hold for all its brokers: a dynamic default. */
export type ConfigSource = "DYNAMIC_TOPIC_CONFIG" | "DYNAMIC_DEFAULT_BROKER_CONFIG" | "DEFAULT_CONFIG";

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
}

/** One line of a DescribeConfigs answer. */
export interface EffectiveConfig {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly type: ConfigType;
  readonly readOnly: boolean;
  readonly documentation: string;
  /** All that could give the value, strongest first; the first one does. */
  readonly synonyms: readonly ConfigSynonym[];
}

/** The text of a topic configuration that is in effect. `name` must be in the table. */
export function effectiveTopicValue(name: string, topicConfigs: Overrides, cellConfigs: Overrides): string {
  const definition = topicConfigTable.get(name);
  if (definition === undefined) {
    throw new Error(`${name} is no topic configuration`);
  }
  const ofCell = definition.brokerSynonym === undefined ? undefined : cellConfigs[definition.brokerSynonym];
  return topicConfigs[name] ?? ofCell ?? definition.default;
}

/** The text of a cell's configuration that is in effect. `name` must be in the table. */
export function effectiveCellValue(name: string, cellConfigs: Overrides): string {
  const definition = cellConfigTable.get(name);
  if (definition === undefined) {
    throw new Error(`${name} is no cell configuration`);
  }
  return cellConfigs[name] ?? definition.default;
}

/** Every topic configuration, by name. */
export function describeTopicConfigs(topicConfigs: Overrides, cellConfigs: Overrides): readonly EffectiveConfig[] {
  return [...topicConfigTable.values()].map((definition) =>
    described(definition, topicSynonyms(definition, topicConfigs, cellConfigs), false),
  );
}

/** Every cell configuration, by name. */
export function describeCellConfigs(cellConfigs: Overrides): readonly EffectiveConfig[] {
  return [...cellConfigTable.values()].map((definition) =>
    described(definition, cellSynonyms(definition, cellConfigs), !definition.dynamic),
  );
}

function described(
  definition: ConfigDefinition,
  synonyms: readonly [ConfigSynonym, ...ConfigSynonym[]],
  readOnly: boolean,
): EffectiveConfig {
  const { name, type, documentation } = definition;
  const [{ value, source }] = synonyms;
  return { name, value, source, type, readOnly, documentation, synonyms };
}

function topicSynonyms(
  definition: TopicConfigDefinition,
  topicConfigs: Overrides,
  cellConfigs: Overrides,
): readonly [ConfigSynonym, ...ConfigSynonym[]] {
  const own = topicConfigs[definition.name];
  const cell = definition.brokerSynonym === undefined ? undefined : cellConfigTable.get(definition.brokerSynonym);
  const inherited: readonly [ConfigSynonym, ...ConfigSynonym[]] =
    cell === undefined
      ? [{ name: definition.name, value: definition.default, source: "DEFAULT_CONFIG" }]
      : cellSynonyms(cell, cellConfigs);
  return own === undefined
    ? inherited
    : [{ name: definition.name, value: own, source: "DYNAMIC_TOPIC_CONFIG" }, ...inherited];
}

function cellSynonyms(
  definition: CellConfigDefinition,
  cellConfigs: Overrides,
): readonly [ConfigSynonym, ...ConfigSynonym[]] {
  const { name } = definition;
  const own = cellConfigs[name];
  const base: ConfigSynonym = { name, value: definition.default, source: "DEFAULT_CONFIG" };
  return own === undefined ? [base] : [{ name, value: own, source: "DYNAMIC_DEFAULT_BROKER_CONFIG" }, base];
}
