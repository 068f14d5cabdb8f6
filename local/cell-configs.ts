import { cellConfigTable } from "../shared/metadata/configs/cell-config-table.ts";
import { configFault } from "../shared/metadata/configs/config-definition.ts";
import { nearest } from "./command-line/options.ts";

/** Replicas and acknowledgements that Kafka recommends, where there are brokers enough. */
const replicationFactor = 3;
const minInsyncReplicas = 2;

/** Why a `--set` is refused, as a sentence; undefined when all are fine. */
export function cellConfigProblem(configs: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(configs)) {
    const definition = cellConfigTable.get(name);
    if (definition === undefined) {
      const hint = meant(name);
      return `--set ${name}: no such broker config${hint === undefined ? " (docs/configs.md has them all)" : `; did you mean ${hint}?`}`;
    }
    if (!definition.dynamic) return `--set ${name}: it is always ${definition.default} here`;
    const fault = configFault(definition, value);
    if (fault !== undefined) return `--set ${name}=${value}: ${fault}`;
  }
  return undefined;
}

/** A topic config's name, one of Kafka's other units of time, or a slip of the keyboard. */
function meant(name: string): string | undefined {
  const others = [`log.${name}`, name.replace(/\.(hours|minutes)$/, ".ms")];
  return others.find((other) => cellConfigTable.has(other)) ?? nearest(name, [...cellConfigTable.keys()]);
}

/** A cell of fewer than three brokers cannot keep three replicas of a topic: its defaults follow its size. */
export function configsForSize(brokers: number): Readonly<Record<string, string>> {
  if (brokers >= replicationFactor) return {};
  return {
    "default.replication.factor": String(brokers),
    "min.insync.replicas": String(Math.min(brokers, minInsyncReplicas)),
    "offsets.topic.replication.factor": String(brokers),
  };
}
