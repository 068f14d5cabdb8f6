/**
 * What a writer sees when a broker dies, stops, or the store stops: `node bench/failures/run.ts [SCENARIO ...]`.
 * Starts a cloud of its own on loopback, and ends it.
 */
import { loadavg } from "node:os";
import { Admin } from "@platformatic/kafka";
import { type BenchCloud, startCloud } from "../cloud.ts";
import { check, clientOptions, SteadyWriter, type Written } from "./steady-writer.ts";

const recordsPerSecond = 1_000;
const partitions = 6;
const healthyMs = 6_000;
const afterMs = 12_000;
const isrWaitMsMax = 60_000;

interface Scenario {
  /** Who is hit: a leader that is not the controller, the controller, a broker that only follows, or the store. */
  readonly victim: "leader" | "controller" | "follower" | "store";
  readonly signal: "SIGKILL" | "SIGSTOP";
  /** How long it is stopped; unused for a kill. */
  readonly stopMs: number;
  /** One partition, so that some broker only follows. */
  readonly partitions: number;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "kill-leader": { victim: "leader", signal: "SIGKILL", stopMs: 0, partitions },
  "kill-controller": { victim: "controller", signal: "SIGKILL", stopMs: 0, partitions },
  "stop-leader": { victim: "leader", signal: "SIGSTOP", stopMs: 8_000, partitions },
  "stop-controller": { victim: "controller", signal: "SIGSTOP", stopMs: 8_000, partitions },
  "stop-follower": { victim: "follower", signal: "SIGSTOP", stopMs: 20_000, partitions: 1 },
  "stop-store": { victim: "store", signal: "SIGSTOP", stopMs: 60_000, partitions },
};

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function leadersOf(admin: Admin, topic: string) {
  const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
  const found = metadata.topics.get(topic)?.partitions ?? [];
  return { controller: metadata.controllerId, parts: found };
}

async function untilInSync(admin: Admin, topic: string): Promise<number> {
  const beganMs = performance.now();
  while (performance.now() - beganMs < isrWaitMsMax) {
    const { parts } = await leadersOf(admin, topic);
    if (parts.length > 0 && parts.every(({ isr }) => isr.length === 3)) return performance.now() - beganMs;
    await sleep(100);
  }
  return Number.NaN;
}

function chooseVictim(
  cloud: BenchCloud,
  wanted: Scenario["victim"],
  cell: Awaited<ReturnType<typeof leadersOf>>,
): { readonly pid: number; readonly broker: number } {
  if (wanted === "store") return { pid: cloud.storePid, broker: -1 };
  const { controller, parts } = cell;
  const leaders = parts.map(({ leader }) => leader);
  const brokers = [1, 2, 3];
  const broker = {
    leader: leaders.find((id) => id !== controller) ?? leaders[0],
    controller,
    follower:
      brokers.find((id) => id !== controller && !leaders.includes(id)) ?? brokers.find((id) => !leaders.includes(id)),
  }[wanted];
  return { pid: cloud.pidOf(broker ?? 0), broker: broker ?? 0 };
}

/** Longest time without an acknowledgement, from just before the fault on. */
function longestGapMs(written: readonly Written[], fromMs: number): number {
  const acked = written.flatMap(({ ackedMs }) => (ackedMs !== undefined && ackedMs > fromMs ? [ackedMs] : []));
  acked.sort((a, b) => a - b);
  return acked.reduce((longest, ms, place) => Math.max(longest, ms - (acked[place - 1] ?? ms)), 0);
}

function p99Ms(written: readonly Written[], fromMs: number, toMs: number): number {
  const within = written.filter(({ dueMs, ackedMs }) => ackedMs !== undefined && dueMs >= fromMs && dueMs < toMs);
  const waits = within.map(({ dueMs, ackedMs }) => (ackedMs ?? 0) - dueMs).sort((a, b) => a - b);
  return waits[Math.floor(waits.length * 0.99)] ?? Number.NaN;
}

async function measure(cloud: BenchCloud, name: string, scenario: Scenario): Promise<string> {
  const admin = new Admin(clientOptions(cloud.bootstrap));
  const topic = `${name}-${Date.now()}`;
  await admin.createTopics({ topics: [topic], partitions: scenario.partitions, replicas: 3 });
  await untilInSync(admin, topic);
  const cell = await leadersOf(admin, topic);
  process.stderr.write(
    `${name}: controller ${cell.controller}, leaders ${cell.parts.map(({ leader }) => leader).join(" ")}\n`,
  );
  const { pid, broker } = chooseVictim(cloud, scenario.victim, cell);
  const perSecond = recordsPerSecond / scenario.partitions;
  // This client asks the first of its bootstrap brokers for metadata: a stopped one would say more of it than of the cell.
  const bootstrap = [
    ...cloud.bootstrap.filter((_, at) => at + 1 !== broker),
    ...cloud.bootstrap.filter((_, at) => at + 1 === broker),
  ];
  const writers = cell.parts.map((_, partition) => new SteadyWriter(bootstrap, topic, partition, perSecond));
  await sleep(healthyMs);
  const faultMs = performance.now();
  process.kill(pid, scenario.signal);
  try {
    await sleep(scenario.stopMs);
  } finally {
    if (scenario.signal === "SIGSTOP") process.kill(pid, "SIGCONT");
  }
  const endMs = performance.now();
  await sleep(afterMs);
  for (const writer of writers) await writer.stop();
  const inSyncMs = await untilInSync(admin, topic);
  const gap = (wanted: boolean) =>
    writers
      .filter((_, partition) => (cell.parts[partition]?.leader === broker) === wanted)
      .reduce((longest, { written }) => Math.max(longest, longestGapMs(written, faultMs - 200)), 0);
  const checks = await Promise.all(
    writers.map(({ written }, partition) => check(cloud.bootstrap, { topic, partition, written })),
  );
  const sum = (of: (index: number) => number) => checks.reduce((total, _, index) => total + of(index), 0);
  const all = writers.flatMap(({ written }) => written);
  const figures = [
    gap(true).toFixed(0),
    gap(false).toFixed(0),
    p99Ms(all, faultMs - healthyMs / 2, faultMs - 200).toFixed(0),
    p99Ms(all, faultMs, Math.max(endMs, faultMs + 1_000)).toFixed(0),
    writers.reduce((total, { failed }) => total + failed, 0),
    sum((index) => checks[index]?.lost ?? 0),
    sum((index) => checks[index]?.doubled ?? 0),
    sum((index) => checks[index]?.misplaced ?? 0),
    Number.isNaN(inSyncMs) ? "no" : "yes",
    (loadavg()[0] ?? 0).toFixed(1),
  ];
  await admin.close();
  return `| ${name} | ${figures.join(" | ")} |`;
}

async function main(): Promise<void> {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios);
  const unknown = wanted.filter((name) => !(name in scenarios));
  if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(", ")}; there are ${Object.keys(scenarios).join(", ")}\n`);
    process.exit(2);
  }
  const cloud = await startCloud();
  try {
    const columns =
      "gap led, ms | gap other, ms | p99 before, ms | p99 during, ms | failed | lost | doubled | out of order";
    process.stdout.write(`| scenario | ${columns} | in sync after | load |\n|---|${"---|".repeat(10)}\n`);
    for (const name of wanted) {
      const scenario = scenarios[name];
      if (scenario !== undefined) process.stdout.write(`${await measure(cloud, name, scenario)}\n`);
      await sleep(3_000);
    }
  } finally {
    await cloud.end();
  }
}

await main();
