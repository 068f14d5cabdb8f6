import { createRegistry } from "../../broker/dispatch/all-handlers.ts";
import { allApis } from "../../shared/kafka/schema/registry.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { noMetrics } from "../../shared/telemetry/metrics.ts";
import { renderTable } from "./page-table.ts";

/** docs/api-versions.md, made from the handlers that a broker registers. */
export function renderApiVersionsPage(): string {
  const registry = createRegistry({ random: systemRandom, metrics: noMetrics });
  const advertisedMin = new Map(registry.advertised().map(({ apiKey, minVersion }) => [apiKey, minVersion]));
  const served: string[][] = [];
  const missing: string[][] = [];
  for (const api of allApis) {
    const entry = registry.entry(api.key);
    if (entry === undefined) {
      missing.push([`${api.key}`, api.name]);
      continue;
    }
    const { minVersion, maxVersion } = entry;
    const min = advertisedMin.get(api.key) ?? minVersion;
    const note =
      min === minVersion ? "" : `advertised from ${min} on, as Kafka does; below ${minVersion} it is refused`;
    served.push([`${api.key}`, api.name, `${minVersion} to ${maxVersion}`, note]);
  }
  return `# Kafka APIs

What a broker serves is what it advertises, in every version of the range; a version outside of it is refused.

Made by \`npm run docs\` from \`broker/dispatch/all-handlers.ts\`; a test fails when this page is stale.

## Served

${renderTable(["key", "API", "versions", ""], served)}
Transactions and share groups are not served yet: FindCoordinator answers COORDINATOR_NOT_AVAILABLE for them, and so does
InitProducerId for a transactional id.

## Not served yet

The wire codec knows them; they are not advertised, and a request for one closes the connection.

${renderTable(["key", "API"], missing)}
What is in neither table (share groups, streams groups, delegation tokens, Kafka's own broker and controller APIs) is not
known at all.
`;
}
