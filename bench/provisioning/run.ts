/** `node bench/provisioning/run.ts`: see README.md. Prints one JSON object. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { ProvisioningClient } from "../../functions/provisioning/client.ts";
import { requestBurstMax, requestsPerSecondMax } from "../../functions/provisioning/limits.ts";
import { kafkajs } from "../../test/cell/kafkajs-client.ts";
import { LocalCloudProcess } from "../../test/cell/local-cloud-process.ts";
import { WireClient } from "../../test/unit/broker/connection/wire-client.ts";
import { cpuSeconds } from "../processes.ts";
import { populate } from "./population.ts";

const clientsAtOnce = 20;
/** In one round; a round is less than the calls that a key may make at once. */
const createsPerClient = 8;
const createRounds = 3;
const firstProduces = 10;
const connections = 400;
const listCalls = 40;
const size = { clusters: 10_000, keysPerCluster: 5 };

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
}

const cloud = await LocalCloudProcess.start(["--restart-after", "1"]);
const { api: baseUrl, apiKey } = cloud.ready;
const api = new ProvisioningClient({ baseUrl, keyId: apiKey.id, secret: apiKey.secret });
const authority = readFileSync(path.join(cloud.dataDirectory, "tls", "ca.pem"), "utf8");
const broker = cloud.ready.brokers[2];
if (broker === undefined) throw new Error("three brokers are needed");

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}

/** Until the key may make all calls again that it may make at once. */
const allowance = () =>
  new Promise<void>((resolve) => setTimeout(resolve, (1_000 * requestBurstMax) / requestsPerSecondMax));

async function creates(): Promise<readonly number[]> {
  const took: number[] = [];
  const client = async (name: string) => {
    for (let count = 0; count < createsPerClient; count++) {
      const body = { spec: { display_name: `bench-${name}-${count}` } };
      took.push(await timed(() => api.call("createCluster", { body })));
    }
  };
  for (let round = 0; round < createRounds; round++) {
    await Promise.all(Array.from({ length: clientsAtOnce }, (_, number) => client(`${round}-${number}`)));
    await allowance();
  }
  return took;
}

async function firstProduce(number: number): Promise<number> {
  return timed(async () => {
    const made = await api.call("createCluster", { body: { spec: { display_name: `first-${number}` } } });
    const key = await api.call("createApiKey", { body: { spec: { resource: { id: made.id } } } });
    const client = kafkajs.connect(
      {
        bootstrap: made.spec.kafka_bootstrap_endpoint.replace("SASL_SSL://", "").split(","),
        secure: { authority, username: key.id, password: key.spec.secret ?? "" },
      },
      "bench",
    );
    const producer = await client.producer({ idempotent: false });
    await producer.send("first", ["record"], 0);
    // The rest is not waited for.
    void producer.close().then(() => client.close());
  });
}

/** CPU of the broker for one TLS connection and its authentication, in milliseconds. */
async function authenticationCpuMs(): Promise<number> {
  const { keyId, secret } = cloud.devCredentials;
  const pid = cloud.processOf(broker?.id ?? 0) ?? 0;
  const before = cpuSeconds([pid]);
  for (let count = 0; count < connections; count++) {
    const client = await WireClient.connectTls(broker?.tlsPort ?? 0, authority);
    await client.authenticate(keyId, secret);
    client.close();
  }
  return Math.round(((cpuSeconds([pid]) - before) / connections) * 100_000) / 100;
}

async function memoryMiB(): Promise<number> {
  const text = await cloud.metrics(broker?.id ?? 0);
  const resident = /^balafon_memory_bytes\{[^}]*rss[^}]*\} (\S+)$/m.exec(text)?.[1];
  return Math.round(Number(resident) / 2 ** 20);
}

/** From the command to a broker that serves again. */
async function restartMs(): Promise<number> {
  await cloud.broker("stop", broker?.id ?? 0);
  return Math.round(await timed(() => cloud.broker("start", broker?.id ?? 0)));
}

async function listMs(): Promise<{ readonly first: number; readonly later: number }> {
  const query = { environment: "env-operator", page_size: 100 };
  const first: number[] = [];
  const later: number[] = [];
  let token: string | undefined;
  for (let count = 0; count < listCalls; count++) {
    first.push(await timed(() => api.call("listClusters", { query })));
    const startedMs = performance.now();
    const page = await api.call("listClusters", {
      query: token === undefined ? query : { ...query, page_token: token },
    });
    later.push(performance.now() - startedMs);
    const next = page.metadata.next;
    token = next === undefined ? undefined : (new URL(next).searchParams.get("page_token") ?? undefined);
  }
  return { first: quantile(first, 0.5), later: quantile(later, 0.5) };
}

async function cell() {
  const restart = await restartMs();
  return {
    restartMs: restart,
    memoryMiB: await memoryMiB(),
    authenticationCpuMs: await authenticationCpuMs(),
    listP50Ms: await listMs(),
  };
}

try {
  const apiCpuBefore = cpuSeconds([cloud.pid]);
  const created = await creates();
  const apiCpuMs = Math.round(((cpuSeconds([cloud.pid]) - apiCpuBefore) / created.length) * 10_000) / 10;
  const produced: number[] = [];
  for (let number = 0; number < firstProduces; number++) produced.push(await firstProduce(number));
  const before = await cell();
  const populatedMs = Math.round(await timed(() => populate(cloud.dataDirectory, size)));
  const after = await cell();
  // The API is one process here: with so many clients at once, a create cannot take less than so many times its CPU.
  const create = { clients: clientsAtOnce, apiCpuMs, p50Ms: quantile(created, 0.5), p99Ms: quantile(created, 0.99) };
  const usable = { p50Ms: quantile(produced, 0.5), maxMs: quantile(produced, 1) };
  process.stdout.write(`${JSON.stringify({ create, usable, before, after, populatedMs }, undefined, 2)}\n`);
} finally {
  await cloud.dispose();
}
