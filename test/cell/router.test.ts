import { readFileSync } from "node:fs";
import path from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { platformatic } from "./platformatic-client.ts";
import { makeSpreadTopic } from "./spread-topic.ts";
import { produceSteadily } from "./steady-production.ts";
import type { ClientLibrary, ConnectionSettings, Patience, TestClient } from "./test-client.ts";
import { until } from "./until.ts";

let cloud: LocalCloudProcess;
let tenant: { readonly lkc: string; readonly keyId: string; readonly secret: string };
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--restart-after", "2"]);
  tenant = await cloud.makeTenant("routed");
});
afterAll(() => cloud.dispose());

const clients: TestClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close().catch(() => undefined);
});

function open(library: ClientLibrary, settings: ConnectionSettings, patience: Patience = "lasting"): TestClient {
  const client = library.connect(settings, "routed", patience);
  clients.push(client);
  return client;
}

/** What the router says to a client that asks for the name. */
function handshake(servername: string): Promise<string> {
  return new Promise((resolve) => {
    const ca = readFileSync(path.join(cloud.dataDirectory, "tls", "ca.pem"));
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: cloud.ready.router.port, servername, ca }, () => {
      resolve(socket.authorized ? "trusted" : "not trusted");
      socket.destroy();
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** A broker that stands still for a moment is not connected to meanwhile. */
function untilTrusted(name: string): Promise<void> {
  return until(async () => (await handshake(name)) === "trusted", 60_000);
}

const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe.each([kafkajs, platformatic])("$name through the router", (library) => {
  test("by name alone a client finds every leader and reads back what it wrote", async () => {
    const client = open(library, cloud.routed(tenant));
    const subject = `through-${library === kafkajs ? "kafkajs" : "platformatic"}`;
    const topic = await makeSpreadTopic(client, subject, { partitions: 3, leaders: 2 });
    const producer = await client.producer({ idempotent: true });
    for (const partition of [0, 1, 2]) await producer.send(topic, numbered(200, `p${partition}`), partition);
    await producer.close();
    for (const partition of [0, 1, 2]) {
      const values = (await client.readAll(topic, partition)).map(({ value }) => value);
      expect(values).toEqual(numbered(200, `p${partition}`));
    }
  });

  test("the key of another logical cluster than the name's opens nothing", async () => {
    const other = await cloud.makeTenant(`other-${library === kafkajs ? 1 : 2}`);
    const mixed = open(library, cloud.routed({ ...other, lkc: tenant.lkc }), "none");
    await expect(mixed.topics()).rejects.toBeInstanceOf(Error);
    const own = open(library, cloud.routed(other));
    expect(await own.topics()).toEqual([]);
  });
});

describe("names", () => {
  test("certificates cover clusters and brokers in every zone", async () => {
    await untilTrusted(`${tenant.lkc}.balafon.localhost`);
    await untilTrusted(`b2-${tenant.lkc}.zone-b.balafon.localhost`);
  });

  test("what nobody has is refused with an alert and told in the log, names of other zones too", async () => {
    for (const name of ["lkc-nobody", `b2-${tenant.lkc}.zone-a`, `b9-${tenant.lkc}.zone-a`, "lkc-internal"]) {
      expect(await handshake(`${name}.balafon.localhost`)).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
    }
    // The log comes through the supervisor.
    const log = () => readFileSync(path.join(cloud.dataDirectory, "router", "router.log"), "utf8");
    await until(() => log().includes('"event":"name-unknown"') && log().includes("lkc-nobody.balafon.localhost"));
  });

  test("a cluster is reached by its name as soon as it is made", async () => {
    let refusedAtFirst = 0;
    for (let number = 1; number <= 4; number++) {
      const made = await cloud.admin("create-cluster", `new-${number}`, "--json");
      const { lkc } = JSON.parse(made.stdout) as { readonly lkc: string };
      if ((await handshake(`${lkc}.balafon.localhost`)) === "ERR_SSL_TLSV1_UNRECOGNIZED_NAME") refusedAtFirst += 1;
      await untilTrusted(`${lkc}.balafon.localhost`);
    }
    // A router that waits in vain for a store that stands still just then refuses what it does not know.
    expect(refusedAtFirst).toBeLessThan(2);
  });
});

async function routerMetric(name: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${cloud.ready.router.adminPort}/metrics`)).text();
  const line = page.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? 0);
}

const routedConnections = () => routerMetric(`balafon_router_connections_routed_total{lkc="${tenant.lkc}"}`);

describe("while somebody produces", () => {
  test("a hundred new tenants drop no connection", async () => {
    const client = open(kafkajs, cloud.routed(tenant));
    await client.createTopic("steady-tenants", 1);
    const production = await produceSteadily(client, "steady-tenants");
    await production.until(20);
    // A leader that fell away meanwhile, on a machine that stood still, is a reason to connect to another one.
    // (To ask for leaders may take a connection of its own.)
    const leader = await client.leaders("steady-tenants");
    const routed = await routedConnections();
    await cloud.makeTenants(100);
    await production.until(20);
    const routedAfter = await routedConnections();
    const leaderAfter = await client.leaders("steady-tenants");
    if (String(leaderAfter) === String(leader)) expect(routedAfter).toBe(routed);
    await production.stop();
    const values = (await client.readAll("steady-tenants", 0)).map(({ value }) => value);
    expect(values).toEqual(production.acknowledged);
  });

  test.each(["kill", "pause"] as const)("%s of the leader: its clients go on with the next one", async (command) => {
    const client = open(kafkajs, cloud.routed(tenant));
    const topic = `steady-${command}`;
    await client.createTopic(topic, 1);
    const production = await produceSteadily(client, topic);
    await production.until(50);
    const [leader = 0] = await client.leaders(topic);
    expect((await cloud.broker(command, leader)).code).toBe(0);
    // The client's own wait for an answer is 30 s: only the router can end it sooner, and a machine may stand still besides.
    await production.until(50);
    expect(production.longestGapMs()).toBeLessThan(28_000);
    if (command === "pause") await cloud.broker("resume", leader);
    await production.stop();
    const values = (await client.readAll(topic, 0)).map(({ value }) => value);
    expect(values).toEqual(production.acknowledged);
    await untilTrusted(`b${leader}-${tenant.lkc}.zone-${"abc"[leader - 1]}.balafon.localhost`);
  });
});

test("the router is started again when it dies, and clients come back", async () => {
  const client = open(kafkajs, cloud.routed(tenant));
  await client.createTopic("router-dies", 1);
  const production = await produceSteadily(client, "router-dies");
  await production.until(20);
  process.kill(cloud.ready.router.pid, "SIGKILL");
  await production.until(20);
  await production.stop();
  const values = (await client.readAll("router-dies", 0)).map(({ value }) => value);
  expect(values).toEqual(production.acknowledged);
});
