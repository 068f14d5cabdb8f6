import type { MetricDefinition } from "./metric-definition.ts";
import { metricChapters } from "./metric-definitions.ts";

/** docs/metrics.md, made from the table. */
export function renderMetricsPage(): string {
  const chapters = Object.entries(metricChapters).map(
    ([title, metrics]) => `## ${title}\n\n${renderTable(Object.values(metrics))}`,
  );
  return `# Metrics

Each broker and router serves its own at \`http://127.0.0.1:<admin port>/metrics\` in Prometheus's text format; \`npm start\`
prints the ports. The label \`lkc\` is the logical cluster. A series appears when it was first counted.

Made by \`npm run docs\` from \`shared/telemetry/metric-definitions.ts\`; a test fails when this page is stale.

${chapters.join("\n")}`;
}

function renderTable(metrics: readonly MetricDefinition[]): string {
  const rows = metrics.map(({ name, kind, unit, labels, help }) => {
    const labelText = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${unit} | ${labelText} | ${help} |\n`;
  });
  return `| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n${rows.join("")}`;
}
