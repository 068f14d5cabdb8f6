import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { platformatic } from "./platformatic-client.ts";
import { produceSteadily } from "./steady-production.ts";
import type { TestClient } from "./test-client.ts";
import { oneOfThreeTries } from "./tries.ts";
import { until } from "./until.ts";

let cloud: LocalCloudProcess | undefined;
const clients: TestClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close().catch(() => undefined);
  await cloud?.dispose();
  cloud = undefined;
});

async function startCloud(...args: string[]): Promise<LocalCloudProcess> {
  cloud = await LocalCloudProcess.start(args);
  return cloud;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe.each([kafkajs, platformatic])("$name", (library) => {
  test("kill -9 of a leader while producing: nothing acknowledged is lost, doubled or moved", async () => {
    const running = await startCloud("--restart-after", "0");
    const client = library.connect(running.plaintext, "steady");
    clients.push(client);
    await client.createTopic("steady", 1);
    const production = await produceSteadily(client, "steady");
    for (let round = 0; round < 2; round++) {
      await production.until(50);
      const [leader = 0] = await client.leaders("steady");
      expect((await running.broker("kill", leader)).code).toBe(0);
      await production.until(200);
      // Whoever is asked may hear of it a moment later.
      await until(async () => (await client.leaders("steady"))[0] !== leader);
      expect((await running.broker("start", leader)).code).toBe(0);
    }
    await production.stop();
    const values = (await client.readAll("steady", 0)).map(({ value }) => value);
    expect(values).toEqual(production.acknowledged);
    // A machine that others use may stop for seconds: the bound of the issue is measured by bench/. This one is below what
    // the clients themselves wait for an answer.
    expect(production.longestGapMs()).toBeLessThan(28_000);
  });
});

test("brokers that are all told to end do not wait for one another, and end cleanly", async () => {
  await oneOfThreeTries("all brokers end at once", async () => {
    const running = await startCloud("--restart-after", "0");
    const client = platformatic.connect(running.plaintext, "ended");
    await client.createTopic("ended", 12);
    await client.close();
    const impatient = platformatic.connect(running.plaintext, "ended", "none");
    clients.push(impatient);
    const production = await produceSteadily(impatient, "ended");
    // It ends with the brokers, or before them with a leader that a busy machine holds for dead.
    const ended = production.failed.catch(() => undefined);
    await Promise.race([production.until(20).catch(() => undefined), ended]);
    const pids = running.ready.brokers.map(({ pid }) => pid);
    const beganMs = performance.now();
    for (const pid of pids) process.kill(pid, "SIGTERM");
    await until(() => !pids.some(isRunning), 60_000);
    const tookMs = performance.now() - beganMs;
    for (const { id } of running.ready.brokers) {
      const file = path.join(running.dataDirectory, "brokers", String(id), "data", "last-run.json");
      expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ cleanShutdown: true });
    }
    for (const each of clients.splice(0)) await each.close().catch(() => undefined);
    await running.dispose();
    // A few hundred milliseconds when the machine is idle; a hand-over that waits for another broker gives up after eight seconds.
    return tookMs < 7_500;
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a second start goes on with the same data, keys and tenants", async () => {
  const running = await startCloud();
  const tenant = await running.makeTenant("kept");
  const before = kafkajs.connect(running.secure(tenant), "before");
  await before.createTopic("kept", 2);
  const producer = await before.producer({ idempotent: true });
  await producer.send("kept", ["a", "b", "c"], 1);
  await producer.close();
  await before.close();
  expect(await running.end()).toBe(0);
  await running.launch();
  const after = platformatic.connect(running.secure(tenant), "after");
  clients.push(after);
  expect((await after.readAll("kept", 1)).map(({ value }) => value)).toEqual(["a", "b", "c"]);
  const again = await after.producer({ idempotent: true });
  await again.send("kept", ["d"], 1);
  await again.close();
  expect((await after.readAll("kept", 1)).map(({ offset, value }) => `${offset} ${value}`)).toEqual([
    "0 a",
    "1 b",
    "2 c",
    "3 d",
  ]);
});

test("kill -9 of everything at once: the cell recovers by itself and keeps what it acknowledged", async () => {
  const running = await startCloud();
  const client = kafkajs.connect(running.plaintext, "before");
  await client.createTopic("survivor", 1);
  const producer = await client.producer({ idempotent: true });
  const values = Array.from({ length: 200 }, (_, index) => `value-${index}`);
  for (const value of values) await producer.send("survivor", [value], 0);
  await producer.close().catch(() => undefined);
  await client.close();
  const pids = running.ready.brokers.map(({ id }) => running.processOf(id) ?? 0);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await running.end("SIGKILL");
  await running.launch();
  const after = kafkajs.connect(running.plaintext, "after");
  clients.push(after);
  expect((await after.readAll("survivor", 0)).map(({ value }) => value)).toEqual(values);
});

test("nothing outlives a supervisor that is killed, and a start after it works", async () => {
  const running = await startCloud();
  const pids = running.ready.brokers.map(({ pid }) => pid);
  // Paused, it cannot notice: the next start ends it.
  await running.broker("pause", 3);
  await running.end("SIGKILL");
  await running.launch();
  expect(pids.filter(isAlive)).toEqual([]);
});

/** A process that ended and that nobody waited for has no command line any more. */
function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, "utf8") !== "";
}

test("while the store says nothing, records go on and new clients come in", async () => {
  const running = await startCloud();
  const client = kafkajs.connect(running.plaintext, "steady");
  clients.push(client);
  await client.createTopic("off-the-data-path", 1);
  const production = await produceSteadily(client, "off-the-data-path");
  const store = storeProcessOf(running);
  // Without the store nobody can be elected in the place of a leader that stood still for long.
  await oneOfThreeTries("records go on and new clients come in", async () => {
    await production.until(20);
    process.kill(store, "SIGSTOP");
    try {
      // Past the time after which the store counts as unreachable.
      for (let second = 0; second < 5; second++) {
        await sleep(1_000);
        if (!(await within(goesOnMsMax, production.until(20)))) return false;
      }
      const newcomer = platformatic.connect(running.plaintext, "newcomer");
      clients.push(newcomer);
      return await within(goesOnMsMax, readsSomething(newcomer, "off-the-data-path"));
    } finally {
      process.kill(store, "SIGCONT");
    }
  });
  await production.stop();
});

const goesOnMsMax = 20_000;

/** Whether it is fulfilled in time. */
function within(msMax: number, done: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    done.then(
      () => true,
      () => false,
    ),
    sleep(msMax).then(() => false),
  ]);
}

async function readsSomething(client: TestClient, topic: string): Promise<void> {
  if ((await client.readAll(topic, 0)).length === 0) throw new Error("nothing was read");
}

/** The store is the supervisor's child that is no broker. */
function storeProcessOf(running: LocalCloudProcess): number {
  const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, "utf8")
    .trim()
    .split(" ")
    .map(Number);
  const store = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("store-process"));
  if (store === undefined) throw new Error(`no store process below ${path.join("/proc", String(running.pid))}`);
  return store;
}
