/** `npm run costs -- FLEET.json`: what the fleet costs to leave running for a month, by docs/costs.md's prices. */
import { readFleetFile } from "../fleet/read-fleet-file.ts";
import { costRows } from "./cost-table.ts";
import { monthlyCost } from "./monthly-cost.ts";
import { pricesDate } from "./prices.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("which fleet? npm run costs -- infra/fleets/test.json\n");
  process.exit(2);
}
const read = readFleetFile(file);
if (read.kind === "invalid") {
  process.stderr.write(`${file}:\n  ${read.problems.join("\n  ")}\n`);
  process.exit(2);
}
const rows = costRows(monthlyCost(read.fleet)).map((row) => row.map((cell) => cell.replaceAll("**", "")));
const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
for (const [what = "", amount = "", unit = "", dollars = ""] of rows) {
  process.stdout.write(
    `${what.padEnd(widths[0] ?? 0)}  ${amount.padStart(widths[1] ?? 0)}  ${unit.padEnd(widths[2] ?? 0)}  ${dollars}\n`,
  );
}
process.stdout.write(
  `\nDollars a month at prices of us-east-1, ${pricesDate}; * from memory, ~ estimated: see docs/costs.md.\n`,
);
