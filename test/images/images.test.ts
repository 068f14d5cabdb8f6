/**
 * Brokers' and routers' images in containers that run as ECS runs their tasks, on an AWS emulator. `run.sh` builds the images,
 * starts the emulator and says in the environment where they are. The tests follow one another: each leaves the fleet well.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkajs } from "../cell/kafkajs-client.ts";
import { platformatic } from "../cell/platformatic-client.ts";
import { makeSpreadTopic } from "../cell/spread-topic.ts";
import { produceSteadily } from "../cell/steady-production.ts";
import type { TestClient } from "../cell/test-client.ts";
import { ContainerFleet, makeSecret, type Tenant } from "./container-fleet.ts";
import type { TaskContainer } from "./task-container.ts";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start test/images/run.sh`);
  return value;
}

const run = setting("IMAGES_RUN");
const exitCodes = { clean: 0, killed: 137 } as const;
const clients: TestClient[] = [];
let fleet: ContainerFleet;
let tenant: Tenant;
let client: TestClient;

beforeAll(async () => {
  fleet = await ContainerFleet.start({
    run,
    imagePrefix: setting("IMAGES_PREFIX"),
    endpointPort: Number(setting("IMAGES_ENDPOINT_PORT")),
    directory: mkdtempSync(path.join(tmpdir(), `${run}-`)),
  });
  await Promise.all([...fleet.brokers, ...fleet.routers].map((container) => container.untilHealthy()));
  tenant = await fleet.makeTenant("orders");
  client = kafkajs.connect(fleet.connection(tenant), "orders");
  clients.push(client);
});

afterAll(async () => {
  for (const each of clients) await each.close().catch(() => undefined);
  await fleet?.dispose();
});

async function until(what: string, condition: () => Promise<boolean>, msMax = 60_000): Promise<void> {
  const deadlineMs = performance.now() + msMax;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a broker calls itself, by its own health. */
async function idOf({ place }: TaskContainer): Promise<number> {
  const response = await fetch(`http://${place.address}:9094/healthz`);
  return ((await response.json()) as { readonly brokerId: number }).brokerId;
}

async function brokerOf(id: number): Promise<TaskContainer> {
  for (const broker of fleet.brokers) if ((await broker.isRunning()) && (await idOf(broker)) === id) return broker;
  throw new Error(`no container is broker ${id}`);
}

async function leaderOf(topic: string): Promise<number> {
  const [leader = -1] = await client.leaders(topic);
  return leader;
}

/** That a whole run of acknowledged records is there, each once and in order. */
async function expectAll(topic: string, acknowledged: readonly string[]): Promise<void> {
  expect((await client.readAll(topic, 0)).map(({ value }) => value)).toEqual(acknowledged);
}

test("a container runs as another user than root, and writes to its volumes alone", async () => {
  for (const container of [...fleet.brokers, ...fleet.routers]) {
    const script = `
      const tried = ["app", "", "etc", "home/node", "data", "tmp"].filter((folder) => {
        const file = "/" + folder + "/x";
        try { fs.writeFileSync(file, ""); fs.rmSync(file); return true; } catch { return false; } });
      const effective = /CapEff:\\s*(\\S+)/.exec(fs.readFileSync("/proc/1/status", "utf8"))[1];
      console.log(JSON.stringify({ user: process.getuid(), group: process.getgid(), tried, effective,
        first: fs.readFileSync("/proc/1/cmdline", "utf8").split("\\0")[0] }))`;
    expect(JSON.parse(await container.execute(script))).toEqual({
      user: 1000,
      group: 1000,
      tried: Object.keys(container.task.mounts)
        .toSorted()
        .map((mount) => mount.slice(1)),
      effective: "0000000000000000",
      // Signals reach Node itself, not a shell.
      first: "/usr/local/bin/node",
    });
  }
});

test("the image holds Node, one file of ours, and no key or certificate of the fleet", async () => {
  for (const container of [fleet.brokers[0]!, fleet.routers[0]!]) {
    const script = `console.log(JSON.stringify(fs.readdirSync("/app").toSorted()))`;
    expect(JSON.parse(await container.execute(script))).toEqual(["health.mjs", "main.mjs", "node_modules"]);
  }
  const said = await fleet.brokers[0]!.logs();
  expect(said).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
});

let byName = "";
test.each([kafkajs, platformatic])("$name goes by names through balancer and router", async (library) => {
  const connected = library.connect(fleet.connection(tenant), "by-name");
  clients.push(connected);
  // Replicas are in all zones, and so are leaders.
  const subject = `by-name-${library.name.replace(/\W/g, "")}`;
  const topic = await makeSpreadTopic(connected, subject, { partitions: 6, leaders: 3 });
  if (library === kafkajs) byName = topic;
  const values = Array.from({ length: 100 }, (_, index) => `value-${index}`);
  const producer = await connected.producer({ idempotent: true });
  for (let partition = 0; partition < 6; partition++) await producer.send(topic, values, partition);
  await producer.close();
  for (let partition = 0; partition < 6; partition++)
    expect((await connected.readAll(topic, partition)).map(({ value }) => value)).toEqual(values);
});

test("a wrong secret is refused", async () => {
  const stranger = kafkajs.connect(fleet.connection({ ...tenant, secret: "wrong" }), "stranger", "none");
  clients.push(stranger);
  await expect(stranger.topics()).rejects.toThrow(/auth/i);
});

let drained: { readonly router: TaskContainer; readonly beganMs: number } | undefined;
test("a router told to end fails its health check at once, and takes connections until the balancer has noticed", async () => {
  const [first] = fleet.routers;
  const router = await fleet.runRouter();
  await router.untilHealthy();
  await router.signal("TERM");
  drained = { router, beganMs: performance.now() };
  await until("the health check fails", async () => (await router.health()) !== 0);
  fleet.balanceTo(router);
  const late = kafkajs.connect(fleet.connection(tenant), "late", "none");
  expect(await late.topics()).toContain(byName);
  await late.close();
  expect(await router.isRunning()).toBe(true);
  fleet.balanceTo(first!);
});

test("SIGTERM: a broker hands its leadership over, ends cleanly, and goes on in its task with its data", async () => {
  await client.createTopic("ended", 1);
  const id = await leaderOf("ended");
  const broker = await brokerOf(id);
  const production = await produceSteadily(client, "ended");
  await until("records are acknowledged", async () => production.acknowledged.length > 20);
  const beganMs = performance.now();
  expect(await broker.stop()).toBe(exitCodes.clean);
  expect(performance.now() - beganMs).toBeLessThan(broker.task.stopTimeoutSeconds * 1_000);
  expect(await broker.logged()).toContainEqual(expect.objectContaining({ event: "leadership-released", givenUp: 0 }));
  expect(await leaderOf("ended")).not.toBe(id);
  const count = production.acknowledged.length;
  await until("production goes on", async () => production.acknowledged.length > count + 20);
  await broker.restart();
  await broker.untilHealthy();
  expect(await idOf(broker)).toBe(id);
  expect(JSON.parse(await broker.execute(`console.log(fs.readFileSync("/data/identity.json", "utf8"))`))).toMatchObject(
    { brokerId: id },
  );
  await production.stop();
  await expectAll("ended", production.acknowledged);
});

test("kill -9 of a leader loses nothing, and it comes back on its volume as who it was", async () => {
  await client.createTopic("killed", 1);
  const id = await leaderOf("killed");
  const broker = await brokerOf(id);
  const production = await produceSteadily(client, "killed");
  await until("records are acknowledged", async () => production.acknowledged.length > 20);
  await broker.signal("KILL");
  expect(await broker.exitCode()).toBe(exitCodes.killed);
  const count = production.acknowledged.length;
  await until("others take over", async () => production.acknowledged.length > count + 20);
  await broker.restart();
  await broker.untilHealthy();
  expect(await idOf(broker)).toBe(id);
  await production.stop();
  await expectAll("killed", production.acknowledged);
});

test("a process that does not serve fails the health check, and the others go on", async () => {
  const [broker] = fleet.brokers;
  expect(await broker!.health()).toBe(0);
  await broker!.signal("STOP");
  expect(await broker!.health()).not.toBe(0);
  const production = await produceSteadily(client, byName);
  await until("production goes on", async () => production.acknowledged.length > 5);
  await production.stop();
  await broker!.signal("CONT");
  await broker!.untilHealthy();
});

test("kill -9 of a leader with its task loses nothing: the new task joins as a new broker", async () => {
  await client.createTopic("lost", 1);
  const broker = await brokerOf(await leaderOf("lost"));
  const ids = await Promise.all(fleet.brokers.map(idOf));
  const production = await produceSteadily(client, "lost");
  await until("records are acknowledged", async () => production.acknowledged.length > 20);
  await broker.signal("KILL");
  const count = production.acknowledged.length;
  await until("others take over", async () => production.acknowledged.length > count + 20);
  const successor = await fleet.replaceBroker(broker);
  await successor.untilHealthy();
  const id = await idOf(successor);
  expect(ids).not.toContain(id);
  await production.stop();
  await expectAll("lost", production.acknowledged);
  // It gets new partitions, and leads some.
  await until("the new broker is given partitions", async () => {
    const topic = `after-${Math.round(performance.now())}`;
    await client.createTopic(topic, 6);
    return (await client.leaders(topic)).includes(id);
  });
});

test("a broker waits for a certificate that is not there yet, and can be told to end meanwhile", async () => {
  const arn = await makeSecret(`${run}-empty`);
  const waiting = await fleet.runBroker(0, { BALAFON_CERTIFICATE_SECRET_ARN: arn });
  await until("it says what it waits for", async () =>
    (await waiting.logged()).some(({ event }) => event === "certificate-not-read"),
  );
  expect(await waiting.health()).not.toBe(0);
  expect(await waiting.stop()).toBe(exitCodes.clean);
  await fleet.removeBroker(waiting);
});

test("the router that was told to end has ended, cleanly and in its time", async () => {
  const { router, beganMs } = drained!;
  expect(await router.exitCode()).toBe(exitCodes.clean);
  expect(performance.now() - beganMs).toBeLessThan(router.task.stopTimeoutSeconds * 1_000);
});
