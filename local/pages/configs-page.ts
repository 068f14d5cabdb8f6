import { cellConfigTable } from "../../shared/metadata/configs/cell-config-table.ts";
import { type ConfigDefinition, isHonoured } from "../../shared/metadata/configs/config-definition.ts";
import { topicConfigTable } from "../../shared/metadata/configs/topic-config-table.ts";
import { renderTable } from "./page-table.ts";

const titles = ["name", "type", "default", "honoured", "meaning"];

/** docs/configs.md, made from the tables of configurations. */
export function renderConfigsPage(): string {
  const topics = [...topicConfigTable.values()];
  const topicDefaults = topics.flatMap(({ name, brokerSynonym }) =>
    brokerSynonym === undefined ? [] : [[`\`${brokerSynonym}\``, `\`${name}\``]],
  );
  const synonyms = new Set(topics.map(({ brokerSynonym }) => brokerSynonym));
  const cell = [...cellConfigTable.values()].filter(({ name }) => !synonyms.has(name));
  return `# Configurations

Names, types and, where nothing else is said, defaults are Kafka's. Unknown names and values that break their type are
refused. *Honoured: no* is taken and shown, so that clients and tools that set it get through, and nothing obeys it.

Made by \`npm run docs\` from \`shared/metadata/configs\`; a test fails when this page is stale.

## Topics

\`kafka-configs.sh --alter --entity-type topics\`, or with CreateTopics.

${renderTable(titles, topics.map(rowOf))}
## Cell

The same for all brokers of a cell: \`npm start -- --set NAME=VALUE\`; tenants read them, nobody changes them by Kafka's
protocol.

${renderTable(
  titles,
  cell.filter(({ dynamic }) => dynamic).map((definition) => rowOf(definition)),
)}
The defaults of all topics are set under these names, each with the type and default of the topic configuration:

${renderTable(["of the cell", "of a topic"], topicDefaults)}
## Shown only

${renderTable(
  titles,
  cell.filter(({ dynamic }) => !dynamic).map((definition) => rowOf(definition)),
)}`;
}

function rowOf(definition: ConfigDefinition): string[] {
  const { name, type, default: value, documentation } = definition;
  const text = value === "" ? "" : `\`${value}\``;
  return [`\`${name}\``, type.toLowerCase(), text, isHonoured(definition) ? "yes" : "no", documentation];
}
