/** The provisioning API of a real local cloud of two cells, from a call to records and back. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiFailure, ProvisioningClient } from "../../functions/provisioning/client.ts";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { type ConnectionSettings, lastingly } from "./test-client.ts";
import { until } from "./until.ts";

let cloud: LocalCloudProcess;
let api: ProvisioningClient;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--cells", "2"]);
  const { api: baseUrl, apiKey } = cloud.ready;
  api = new ProvisioningClient({ baseUrl, keyId: apiKey.id, secret: apiKey.secret });
});
afterAll(() => cloud.dispose());

async function makeCluster(name: string) {
  const { id, spec } = await api.call("createCluster", { body: { spec: { display_name: name } } });
  return { id, environment: spec.environment.id, endpoint: spec.kafka_bootstrap_endpoint };
}

async function makeKey(cluster: string): Promise<{ readonly keyId: string; readonly secret: string }> {
  const { id, spec } = await api.call("createApiKey", { body: { spec: { resource: { id: cluster } } } });
  return { keyId: id, secret: spec.secret ?? "" };
}

function settings(endpoint: string, key: { readonly keyId: string; readonly secret: string }): ConnectionSettings {
  const authority = readFileSync(path.join(cloud.dataDirectory, "tls", "ca.pem"), "utf8");
  const bootstrap = endpoint.replace("SASL_SSL://", "").split(",");
  return { bootstrap, secure: { authority, username: key.keyId, password: key.secret } };
}

/** Whether a client with this key gets in. */
async function admits(endpoint: string, key: { readonly keyId: string; readonly secret: string }): Promise<boolean> {
  const client = kafkajs.connect(settings(endpoint, key), "probe");
  try {
    const producer = await client.producer({ idempotent: false });
    await producer.close();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

test("the key of the API is for its owner alone, and stays the same", async () => {
  const file = path.join(cloud.dataDirectory, "api-key.json");
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(cloud.ready.apiKey);
});

test("a cluster and a key are made by HTTP, and records go through at once", async () => {
  const { id, environment, endpoint } = await makeCluster("orders");
  const key = await makeKey(id);
  const client = kafkajs.connect(settings(endpoint, key), "orders");
  const producer = await client.producer({ idempotent: true });
  await producer.send("orders", ["first", "second"], 0);
  expect((await client.readAll("orders", 0)).map(({ value }) => value)).toEqual(["first", "second"]);

  // Revoked: the open connection ends, new ones are refused; another key of the cluster goes on.
  const other = await makeKey(id);
  await api.call("deleteApiKey", { params: { id: key.keyId } });
  await until(async () => !(await admits(endpoint, key)));
  // Brokers hear of it one by one, each within a moment.
  await until(() =>
    producer.send("orders", ["third"], 0).then(
      () => false,
      () => true,
    ),
  );
  expect(await admits(endpoint, other)).toBe(true);

  // Deleted: nobody gets in, and the operator gets it back with its records.
  await api.call("deleteCluster", { params: { id }, query: { environment } });
  await until(async () => !(await admits(endpoint, other)));
  await expect(makeKey(id)).rejects.toThrow("There is no cluster");
  const restored = await api.call("restoreCluster", { params: { id }, query: { environment } });
  expect(restored.status.phase).toBe("PROVISIONED");
  await until(() => admits(endpoint, other));
  // Of another broker than the one that let it in, this client may be refused for a moment yet.
  const values = await lastingly(async () => {
    const again = kafkajs.connect(settings(endpoint, other), "orders");
    try {
      return (await again.readAll("orders", 0)).map(({ value }) => value);
    } finally {
      await again.close().catch(() => undefined);
    }
  });
  expect(values.slice(0, 2)).toEqual(["first", "second"]);
  expect(new Set(values.slice(2)).size).toBeLessThan(2);
  await Promise.allSettled([producer.close(), client.close()]);
});

test("clusters are spread over the cells, and stay in theirs", async () => {
  const endpoints = new Set<string>();
  for (let number = 0; number < 60 && endpoints.size < 2; number++) {
    endpoints.add((await makeCluster(`spread-${number}`)).endpoint);
  }
  expect(endpoints.size).toBe(2);
  await until(async () => (await api.call("listCells", {})).data.every(({ load }) => load !== undefined), 60_000);
});

test("an answer that is not the one asked for is a failure with its reasons", async () => {
  await makeCluster("taken");
  const refused = await makeCluster("taken").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiFailure);
  expect(refused).toMatchObject({ status: 409, errors: [{ source: { pointer: "/spec/display_name" } }] });
});

test("everything is there after a restart", async () => {
  const { id, environment, endpoint } = await makeCluster("kept");
  const key = await makeKey(id);
  const { id: keyId } = cloud.ready.apiKey;
  await cloud.end();
  await cloud.launch();
  expect(cloud.ready.apiKey.id).toBe(keyId);
  const { api: baseUrl, apiKey } = cloud.ready;
  api = new ProvisioningClient({ baseUrl, keyId: apiKey.id, secret: apiKey.secret });
  const found = await api.call("getCluster", { params: { id }, query: { environment } });
  expect(found.spec.display_name).toBe("kept");
  // Ports of this cloud are chosen anew.
  expect(found.spec.kafka_bootstrap_endpoint).not.toBe(endpoint);
  expect(await admits(found.spec.kafka_bootstrap_endpoint, key)).toBe(true);
});
