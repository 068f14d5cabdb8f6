import { readFileSync } from "node:fs";
import path from "node:path";
import { costRows } from "../../infra/costs/cost-table.ts";
import { monthlyCost } from "../../infra/costs/monthly-cost.ts";
import { type Price, prices, pricesDate } from "../../infra/costs/prices.ts";
import { trafficCosts } from "../../infra/costs/traffic-cost.ts";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { renderTable } from "./page-table.ts";

const examples = ["test", "production"] as const;

/** docs/costs.md: what the example fleets cost, and what a GB costs. */
export function renderCostsPage(projectRoot: string): string {
  const chapters = examples.map((name) => {
    const file = path.join(projectRoot, "infra/fleets", `${name}.json`);
    const read = readFleetConfig(JSON.parse(readFileSync(file, "utf8")));
    if (read.kind === "invalid") throw new Error(read.problems.join("; "));
    const table = renderTable(["", "a month", "of", "dollars"], costRows(monthlyCost(read.fleet)));
    return `## infra/fleets/${name}.json\n\n${table}`;
  });
  const traffic = trafficCosts.map(({ what, crossings, balanced, dollars }) => [
    what,
    crossings.toFixed(2),
    String(balanced),
    dollars.toFixed(3),
  ]);
  const priced = Object.values(prices).map(({ dollars, unit, source }: Price) => [
    String(dollars),
    unit,
    source ?? "from memory: check",
  ]);
  return `# Costs on AWS

What a fleet costs to leave running for a month of 730 hours without a client, in dollars at prices of us-east-1, read ${pricesDate} (other regions:
up to a third more), without free tiers, discounts and taxes. **Nobody has paid such a bill yet**: the fleet has not been deployed.
\`*\`: a price from memory, to be checked; \`~\`: an amount that is a guess, not a count. Your own fleet: \`npm run costs -- infra/fleets/mine.json\`.

Made by \`npm run docs\` from \`infra/costs\`; a test fails when this page is stale.

${chapters.join("\n")}
What can be left out: Container Insights (\`containerInsightsV2\` in the stacks), endpoints in favour of \`"waysOut": "public"\`, and the exportable
certificate: ACM charges each wildcard name at each renewal, and a fleet has four; a free authority's certificate in the secret costs nothing.

## A GB of records

${renderTable(["", "GB between zones", "GB balanced", "dollars a GB"], traffic)}
Produced in AWS, replicated and read by one group: the first three lines together. Reading from the internet is ${prices.internetGb.dollars} a GB more in place of the crossing. Disks are in
the table above, three times what is kept. An idle cell writes nothing into its metadata log; heartbeats go between brokers.

## Prices

${renderTable(["dollars", "for a", "source"], priced)}`;
}
