/**
 * Consumer groups: rebalances, commits, heartbeats, and what a member sees when its coordinator fails. The same requests go
 * to a cloud of our own and, if one is named, to another cluster beside it; rounds alternate between the two.
 *
 *   npx node bench/groups/run.ts [MEASURE ...] [--rounds N]
 *     [--beside BOOTSTRAP --beside-pids 1=PID,2=PID,3=PID [--beside-restart 'COMMAND {id}'] [--beside-name NAME]]
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type Cell, foreignCell, ownCell } from "./cell.ts";
import { measureCommits } from "./commits.ts";
import { measureFailover } from "./failover.ts";
import { measureHeartbeats } from "./heartbeats.ts";
import { type Figures, median } from "./measure.ts";
import { measureRebalance } from "./rebalance.ts";

/** Rebalances with one more member and then one less, in each round. */
const rebalancesPerRound = 5;
const warmUpRebalances = 20;
const commitSeconds = 3;
const warmUpCommitSeconds = 10;

interface Measure {
  run(cell: Cell, round: number): Promise<Figures>;
  /** Once before the first round: JIT compilers want to see the code run. */
  warmUp?(cell: Cell): Promise<unknown>;
}

const measures: Readonly<Record<string, Measure>> = {
  "rebalance-eager": {
    warmUp: (cell) => measureRebalance(cell, "eager", warmUpRebalances),
    run: (cell) => measureRebalance(cell, "eager", rebalancesPerRound),
  },
  "rebalance-cooperative": {
    warmUp: (cell) => measureRebalance(cell, "cooperative", warmUpRebalances),
    run: (cell) => measureRebalance(cell, "cooperative", rebalancesPerRound),
  },
  commits: {
    warmUp: (cell) => measureCommits(cell, { seconds: warmUpCommitSeconds }),
    run: (cell) => measureCommits(cell, { seconds: commitSeconds }),
  },
  heartbeats: { run: (cell) => measureHeartbeats(cell) },
  kill: { run: (cell, round) => measureFailover(cell, "kill", brokerOf(cell, round)) },
  stop: { run: (cell, round) => measureFailover(cell, "stop", brokerOf(cell, round)) },
};

/** Each round hits another one, so that the controller is among them. */
function brokerOf(cell: Cell, round: number): number {
  return cell.brokerIds[round % cell.brokerIds.length] ?? 0;
}

async function compare(cells: readonly Cell[], name: string, rounds: number): Promise<Map<string, number[][]>> {
  const measure = measures[name] as Measure;
  const found = new Map<string, number[][]>();
  for (const cell of cells) {
    say(`${name}: ${cell.name} warms up`);
    await measure.warmUp?.(cell);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [place, cell] of cells.entries()) {
      say(`${name}: ${cell.name}, round ${round + 1}`);
      for (const [figure, value] of Object.entries(await measure.run(cell, round))) {
        const values = found.get(figure) ?? cells.map(() => []);
        values[place]?.push(value);
        found.set(figure, values);
      }
    }
  }
  return found;
}

/** Cells in the order of the columns; the ratio is of the last to the first. */
function printRows(found: ReadonlyMap<string, number[][]>): void {
  for (const [name, perCell] of found) {
    const columns = perCell.map((values) => `${short(median(values))} (${values.map(short).join(", ")})`);
    const [first, last] = [median(perCell[0] ?? []), median(perCell.at(-1) ?? [])];
    const ratio = perCell.length < 2 || first === 0 ? [] : [short(last / first)];
    process.stdout.write(`| ${[name, ...columns, ...ratio].join(" | ")} |\n`);
  }
}

function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: text,
      beside: text,
      "beside-pids": text,
      "beside-restart": text,
      "beside-name": text,
    },
  });
  const unknown = positionals.filter((name) => !(name in measures));
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(", ")}; there are ${Object.keys(measures).join(", ")}`);
  const wanted = positionals.length > 0 ? positionals : Object.keys(measures);
  const rounds = Number(values.rounds ?? 3);
  const cells: Cell[] = [];
  if (values.beside !== undefined) {
    const name = values["beside-name"] ?? "Kafka";
    cells.push(foreignCell(name, values.beside, values["beside-pids"] ?? "", values["beside-restart"]));
  }
  try {
    cells.push(await ownCell("Balafon"));
    const columns = ["figure", ...cells.map(({ name }) => name), ...(cells.length > 1 ? ["ratio"] : [])];
    process.stdout.write(`| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}\n`);
    for (const name of wanted) {
      printRows(await compare(cells, name, rounds));
    }
    say(`medians of ${rounds} rounds, all values in brackets; load ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    for (const cell of cells) await cell.end();
  }
}

await main();
