/** Checks of configuration overrides, shared by the commands that write them. */
import { type ConfigDefinition, configFault } from "../configs/config-definition.ts";
import type { Overrides } from "../configs/effective-config.ts";
import { type CommandError, refused } from "./command-error.ts";
import { configOverridesMax, configValueCharactersMax } from "./limits.ts";

/** Why these overrides cannot be taken; undefined when they can. */
export function overridesFault(
  overrides: Overrides,
  table: ReadonlyMap<string, ConfigDefinition>,
): CommandError | undefined {
  const entries = Object.entries(overrides);
  if (entries.length > configOverridesMax) {
    return refused("INVALID_CONFIG", `More than ${configOverridesMax} configurations.`);
  }
  for (const [name, value] of entries) {
    const definition = table.get(name);
    if (definition === undefined) {
      return refused("INVALID_CONFIG", `Unknown configuration ${name}.`);
    }
    if (value.length > configValueCharactersMax) {
      return refused("INVALID_CONFIG", `The value of ${name} is longer than ${configValueCharactersMax} characters.`);
    }
    const fault = configFault(definition, value);
    if (fault !== undefined) {
      return refused("INVALID_CONFIG", fault);
    }
  }
  return undefined;
}

/**
 * Why overrides that are fine one by one do not go together, as Kafka says it; undefined when they do. `effective`: the
 * value that a configuration has with them; `prefix`: what the cell's names have before the topic's.
 */
export function conflict(effective: (name: string) => string, prefix = ""): CommandError | undefined {
  const [least, most] = [`${prefix}min.compaction.lag.ms`, `${prefix}max.compaction.lag.ms`];
  const [min, max] = [effective(least), effective(most)];
  if (BigInt(min) <= BigInt(max)) return undefined;
  return refused("INVALID_CONFIG", `conflict topic config setting ${least} (${min}) > ${most} (${max})`);
}

/** Values as they are kept: without the white space around them, as Kafka trims them. */
export function trimmed(overrides: Overrides): Overrides {
  return Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, value.trim()]));
}
