/** A logical cluster with a key for whoever deployed, made through the deployed API as any tenant's is. */
import { existsSync, readFileSync } from "node:fs";
import { ApiFailure, ProvisioningClient } from "../../functions/provisioning/client.ts";
import { credentialsIn, javaClientProperties, librdkafkaProperties } from "../client-files.ts";
import { type DataLayout, writePrivateFile } from "../data-directory.ts";

export interface ReadyTenant {
  readonly lkc: string;
  /** `lkc-….balafon.localhost:9092`. */
  readonly bootstrap: string;
}

/** The provisioning API, and an operator's key for it. */
export interface ApiAccess {
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
}

export interface ReadyTenantOptions {
  readonly api: ApiAccess;
  readonly layout: DataLayout;
  readonly authorityFile: string;
}

const clusterName = "dev";
const accountName = "dev";

/** Takes what an earlier deployment left, if the API still knows it; the client files hold its key. Errors: `ApiFailure`. */
export async function ensureReadyTenant({ api, layout, authorityFile }: ReadyTenantOptions): Promise<ReadyTenant> {
  const client = new ProvisioningClient({ baseUrl: api.url, keyId: api.keyId, secret: api.secret });
  const environment = await defaultEnvironment(client);
  const cluster = await ensureCluster(client, environment);
  const bootstrap = cluster.spec.kafka_bootstrap_endpoint.replace("SASL_SSL://", "");
  const kept = existsSync(layout.clientProperties)
    ? credentialsIn(readFileSync(layout.clientProperties, "utf8"))
    : undefined;
  const credentials =
    kept !== undefined && (await isKnown(client, kept.keyId)) ? kept : await makeKey(client, cluster.id);
  const access = { bootstrap, authorityFile };
  writePrivateFile(layout.clientProperties, javaClientProperties(access, credentials));
  writePrivateFile(layout.librdkafkaProperties, librdkafkaProperties(access, credentials));
  return { lkc: cluster.id, bootstrap };
}

async function defaultEnvironment(client: ProvisioningClient): Promise<string> {
  const { data } = await client.call("listEnvironments", { query: {} });
  const [first] = data;
  if (first === undefined) throw new Error("the API knows no environment of the operator's");
  return first.id;
}

async function ensureCluster(client: ProvisioningClient, environment: string) {
  const { data } = await client.call("listClusters", { query: { environment } });
  const known = data.find(({ spec }) => spec.display_name === clusterName);
  return known ?? client.call("createCluster", { body: { spec: { display_name: clusterName } } });
}

async function isKnown(client: ProvisioningClient, id: string): Promise<boolean> {
  try {
    await client.call("getApiKey", { params: { id } });
    return true;
  } catch (error) {
    if (error instanceof ApiFailure && error.status < 500) return false;
    throw error;
  }
}

async function makeKey(client: ProvisioningClient, lkc: string): Promise<{ keyId: string; secret: string }> {
  const { data } = await client.call("listServiceAccounts", { query: {} });
  const known = data.find((account) => account.display_name === accountName);
  const account = known ?? (await client.call("createServiceAccount", { body: { display_name: accountName } }));
  const made = await client.call("createApiKey", {
    body: { spec: { owner: { id: account.id }, resource: { id: lkc } } },
  });
  if (made.spec.secret === undefined) throw new Error("the API told no secret of a new key");
  return { keyId: made.id, secret: made.spec.secret };
}
