import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess, runCommand } from "./local-cloud-process.ts";
import { until } from "./until.ts";

let cloud: LocalCloudProcess;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--restart-after", "1"]);
});
afterAll(() => cloud.dispose());

test("the line of --json says all that a program needs", () => {
  const { ready } = cloud;
  expect(ready.lkc).toBe("lkc-dev");
  expect(ready.brokers.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(ready.bootstrap).toBe(ready.brokers.map(({ port }) => `127.0.0.1:${port}`).join(","));
  expect(new Set(ready.brokers.map(({ pid }) => pid)).size).toBe(3);
  expect(ready.readyMs).toBeGreaterThan(0);
});

test("secrets are for their owner alone", () => {
  const files = [
    "cell.secret",
    "client.properties",
    "librdkafka.properties",
    "run.json",
    "tls/ca.key",
    "tls/server.key",
    "brokers/1/config.json",
  ];
  for (const file of files) expect(statSync(path.join(cloud.dataDirectory, file)).mode & 0o077).toBe(0);
  const { secret } = cloud.devCredentials;
  for (const id of [1, 2, 3]) {
    expect(readFileSync(path.join(cloud.dataDirectory, "brokers", String(id), "broker.log"), "utf8")).not.toContain(
      secret,
    );
  }
});

test("every broker has metrics and is healthy", async () => {
  for (const { id, adminPort } of cloud.ready.brokers) {
    // Not at each moment: a busy machine's brokers seem dead to one another.
    await until(async () => (await cloud.metrics(id)).includes("balafon_partitions_without_leader 0"), 60_000);
    await until(async () => (await fetch(`http://127.0.0.1:${adminPort}/healthz`)).status === 200, 60_000);
  }
});

test("a second start on the same data is refused with a hint", async () => {
  const second = await runCommand("main.ts", ["--data", cloud.dataDirectory]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`another npm start uses ${cloud.dataDirectory}`);
  expect(second.stderr).toContain("--data");
});

test("a taken port is refused, naming the port and the flag", async () => {
  const taken = cloud.ready.brokers[1]?.port ?? 0;
  const other = path.join(cloud.dataDirectory, "other");
  const refused = await runCommand("main.ts", [
    "--data",
    other,
    "--kafka-port",
    String(taken - 1),
    "--tls-port",
    "0",
    "--admin-port",
    "0",
  ]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(new RegExp(`port ${taken - 1} .*--kafka-port`));
});

test("unknown flags and configs are refused before anything is touched", async () => {
  const other = path.join(cloud.dataDirectory, "untouched");
  const wrongs = [
    ["--brokr", "3"],
    ["--set", "num.partition=3"],
    ["--set", "num.partitions=many"],
    ["--set", "broker.id=7"],
  ];
  for (const wrong of wrongs) {
    const refused = await runCommand("main.ts", ["--data", other, ...wrong]);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
  }
  expect((await runCommand("main.ts", ["--set", "num.partition=3"])).stderr).toContain("did you mean num.partitions?");
  expect(existsSync(other)).toBe(false);
});

test("--help explains every option", async () => {
  const help = await runCommand("main.ts", ["--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("--restart-after SECONDS");
});

test("admin: clusters and keys are made and listed; secrets are shown once", async () => {
  const tenant = await cloud.makeTenant("orders");
  expect((await cloud.admin("create-cluster", "more")).stdout).toMatch(
    new RegExp(`npm run admin -- create-key lkc-[a-z0-9]+ --data ${cloud.dataDirectory}\n`),
  );
  const list = await cloud.admin("list", "--json");
  const { clusters } = JSON.parse(list.stdout) as {
    readonly clusters: readonly { readonly lkc: string; readonly name: string; readonly keys: readonly string[] }[];
  };
  expect(clusters.find(({ lkc }) => lkc === tenant.lkc)).toMatchObject({ name: "orders", keys: [tenant.keyId] });
  expect(list.stdout).not.toContain(tenant.secret);
  expect((await cloud.admin("list")).stdout).toContain(tenant.lkc);
  expect(await cloud.admin("create-key", "lkc-nobody")).toMatchObject({ code: 1 });
  expect(await cloud.admin("create-cluster")).toMatchObject({ code: 1 });
  expect(await cloud.admin("drop-everything")).toMatchObject({ code: 1 });
});

test("broker: kill, restart, pause, resume, stop and start", async () => {
  const before = cloud.processOf(2);
  expect((await cloud.broker("kill", 2)).stdout).toContain("starts again in 1 s");
  await until(() => cloud.processOf(2) !== undefined && cloud.processOf(2) !== before);
  await until(() => cloud.said.includes("broker 2 serves again"), 60_000);
  expect((await cloud.broker("pause", 3)).code).toBe(0);
  expect((await cloud.broker("pause", 3)).code).toBe(1);
  expect((await cloud.broker("resume", 3)).code).toBe(0);
  expect((await cloud.broker("stop", 3)).code).toBe(0);
  expect(cloud.processOf(3)).toBeUndefined();
  expect((await cloud.broker("start", 3)).stdout).toContain("serves");
  expect(await cloud.broker("kill", 9)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("there are 1, 2, 3"),
  });
  const client = kafkajs.connect(cloud.plaintext, "after");
  const producer = await client.producer({ idempotent: true });
  await producer.send("after-all-that", ["still here"], 0);
  expect((await client.readAll("after-all-that", 0)).map(({ value }) => value)).toEqual(["still here"]);
  await producer.close();
  await client.close();
});

test("a cloud whose output nobody reads any more goes on, and ends in order", async () => {
  cloud.closeOutput();
  const before = cloud.processOf(1);
  // It says that the broker ended, and that it serves again.
  expect((await cloud.broker("kill", 1)).stdout).toContain("starts again in 1 s");
  await until(() => cloud.processOf(1) !== undefined && cloud.processOf(1) !== before);
  expect((await cloud.admin("list")).code).toBe(0);
  expect(await cloud.end()).toBe(0);
});
