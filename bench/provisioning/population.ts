/** Fills a cell with logical clusters and keys, as the provisioning API would have, only faster. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { openControlPlane } from "../../functions/provisioning/open-control-plane.ts";
import { newApiKey } from "../../shared/access/api-key-secret.ts";
import type { ItemStoreConfig } from "../../shared/broker-config/broker-config.ts";
import { openItemStore, openTextItemStore } from "../../shared/broker-config/open-stores.ts";
import { type ApiKeyItem, apiKeyKind } from "../../shared/control/items/api-key-item.ts";
import { type ClusterItem, clusterKind } from "../../shared/control/items/cluster-item.ts";
import type { MetadataRecord } from "../../shared/metadata/records/record.ts";
import { systemClock } from "../../shared/ports/clock.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { systemTimers } from "../../shared/ports/timers.ts";

/** Records of an entry: some 250 bytes each, of the 256 KiB that it may have. */
const recordsPerEntry = 700;
/** Writes of items under way: they share the store's transactions. */
const writesAtOnce = 16;

const organization = "org-operator";
const environment = "env-operator";

export async function populate(
  dataDirectory: string,
  size: { readonly clusters: number; readonly keysPerCluster: number },
): Promise<void> {
  const run = JSON.parse(readFileSync(path.join(dataDirectory, "run.json"), "utf8")) as {
    readonly cell: string;
    readonly items: ItemStoreConfig;
  };
  const opening = { cellSecret: readFileSync(path.join(dataDirectory, "cell.secret")), timers: systemTimers };
  const plane = openControlPlane({
    controlItems: await openTextItemStore(run.items, opening),
    logItems: await openItemStore(run.items, opening),
    fleet: { cloud: "AWS", region: "us-east-1", cells: [] },
    graceMs: 0,
    writer: "bench",
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  });
  const clusters = Array.from({ length: size.clusters }, (_, number) => clusterOf(run.cell, number));
  const keys = clusters.flatMap((cluster) => Array.from({ length: size.keysPerCluster }, () => keyOf(cluster)));
  const records = [...clusters.map(clusterRecord), ...keys.map(keyRecord)];
  for (let at = 0; at < records.length; at += recordsPerEntry) {
    const entry = records.slice(at, at + recordsPerEntry);
    const result = await plane.logOf(run.cell).append(async () => entry);
    if (result.kind !== "appended") throw new Error(`not appended: ${result.kind}`);
  }
  await inParallel(clusters, (cluster) => plane.store.put(clusterKind, cluster));
  await inParallel(keys, (key) => plane.store.put(apiKeyKind, key));
}

async function inParallel<T>(values: readonly T[], write: (value: T) => Promise<unknown>): Promise<void> {
  const next = values.values();
  const worker = async () => {
    for (const value of next) await write(value);
  };
  await Promise.all(Array.from({ length: writesAtOnce }, worker));
}

function clusterOf(cell: string, number: number): ClusterItem {
  const id = `lkc-m${number.toString(36).padStart(7, "0")}`;
  const held = { text: `many-${number}`, generation: 1 };
  return {
    id,
    organization,
    environment,
    displayName: held.text,
    names: { held, generation: 1 },
    cell,
    cloud: "AWS",
    region: "us-east-1",
    availability: "MULTI_ZONE",
    config: "Basic",
    deletionProtection: false,
    createdMs: 1,
    updatedMs: 1,
    wish: "open",
    logged: true,
    made: true,
  };
}

function keyOf(cluster: ClusterItem): ApiKeyItem {
  const { keyId, verifier } = newApiKey(systemRandom);
  return {
    id: keyId,
    organization,
    owner: "sa-operator",
    displayName: "",
    description: "",
    verifier,
    cluster: cluster.id,
    cell: cluster.cell,
    createdMs: 1,
    updatedMs: 1,
    wish: "active",
    settled: true,
  };
}

function clusterRecord({ id, displayName, createdMs }: ClusterItem): MetadataRecord {
  return { type: "logical-cluster-upserted", lkc: id, name: displayName, createdMs };
}

function keyRecord({ id, cluster, owner, verifier, createdMs }: ApiKeyItem): MetadataRecord {
  const principal = `User:${owner}`;
  return { type: "api-key-upserted", keyId: id, lkc: cluster ?? "", principal, verifier, createdMs };
}
