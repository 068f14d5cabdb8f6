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

/** Values as they are kept: without the white space around them, as Kafka trims them. */
export function trimmed(overrides: Overrides): Overrides {
  return Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, value.trim()]));
}
