/**
 * Brings a logical cluster to what its item asks for, from wherever a call or a crash left it. Every step is one write
 * under the revision that was read, so two that settle the same one do no harm.
 *
 *   wanted name ──reserved──▶ entry in the cell's log ──▶ held and logged: settled (PROVISIONED)
 *        └─taken─▶ never made: gone; a rename or a restore: as before
 *   closed: entry (admits nobody) ──▶ name given back ──grace period──▶ gone
 *   gone:   entry (deleted with its topics and keys) ──▶ its keys' items ──tombstone──▶ absent
 */
import type { Stored } from "../../../shared/control/control-kind.ts";
import { apiKeyKind, apiKeysOf } from "../../../shared/control/items/api-key-item.ts";
import { type ClusterItem, clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import { environmentKind, environmentsOf } from "../../../shared/control/items/environment-item.ts";
import type { NameScope } from "../../../shared/control/items/name-reservation-item.ts";
import type { MetadataRecord } from "../../../shared/metadata/records/record.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settleStepsMax, tombstoneMs } from "../limits.ts";
import { appendToLog } from "./log-append.ts";
import { dropFormer, dropWanted, holdWanted, leaveName, releaseName, reserveName } from "./names.ts";
import { retireKey } from "./retire-key.ts";
import { markWork, type Settled } from "./work.ts";

export async function settleCluster(plane: ControlPlane, organization: string, id: string): Promise<Settled> {
  for (let step = 0; step < settleStepsMax; step++) {
    const read = await plane.store.get(clusterKind, clustersOf(organization), id);
    if (read === undefined) return { kind: "absent" };
    const settled = await stepCluster(plane, read);
    if (settled !== undefined) return settled;
  }
  throw new Error(`cluster ${id} does not settle`);
}

/** One step; undefined when there is another one. */
async function stepCluster(plane: ControlPlane, read: Stored<ClusterItem>): Promise<Settled | undefined> {
  const cluster = read.value;
  if (cluster.names.wanted !== undefined) return claimName(plane, read);
  if (!cluster.logged) return logCluster(plane, read);
  if (cluster.wish !== "open" && cluster.names.held !== undefined) {
    return change(plane, read, { ...cluster, names: leaveName(cluster.names) });
  }
  if (cluster.names.former !== undefined) {
    await releaseName(plane, scopeOf(cluster), cluster.id, cluster.names.former);
    return change(plane, read, { ...cluster, names: dropFormer(cluster.names) });
  }
  switch (cluster.wish) {
    case "open":
      return { kind: "settled" };
    case "closed":
      return waitForPurge(plane, read);
    case "gone":
      return buryCluster(plane, read);
  }
}

async function claimName(plane: ControlPlane, read: Stored<ClusterItem>): Promise<undefined> {
  const cluster = read.value;
  const { wanted } = cluster.names;
  if (wanted === undefined) return;
  const reserved = await reserveName(plane, scopeOf(cluster), cluster.id, wanted);
  if (reserved === "won") {
    // Reserved under the claim that the item has now: whoever comes in between finds it claimed.
    const named = { ...cluster, displayName: wanted.text, names: holdWanted(cluster.names) };
    await logCluster(plane, { ...read, value: named });
  } else if (reserved === "taken") {
    await change(plane, read, refused({ ...cluster, names: dropWanted(cluster.names) }, "name-taken", plane));
  }
}

/** What becomes of a cluster that cannot have what it asked for: one that never was, is gone; others are as before. */
function refused(
  cluster: ClusterItem,
  refusal: Exclude<ClusterItem["refusal"], undefined>,
  plane: ControlPlane,
): ClusterItem {
  if (!cluster.made) return { ...cluster, refusal, wish: "gone", logged: true, goneMs: plane.clock.wallMs() };
  const beingRestored = cluster.closedMs !== undefined;
  return beingRestored ? { ...cluster, refusal, wish: "closed", logged: false } : { ...cluster, refusal };
}

/** `read.value` may be what the item is about to be: the entry is right for it as long as the item is not changed. */
async function logCluster(plane: ControlPlane, read: Stored<ClusterItem>): Promise<undefined> {
  const cluster = read.value;
  // A cluster that is open already stays so; its environment cannot be deleted while it is.
  const opens = cluster.wish === "open" && (!cluster.made || cluster.closedMs !== undefined);
  if (opens && !(await environmentStands(plane, cluster))) {
    await change(plane, read, refused(cluster, "environment-gone", plane));
    return;
  }
  await appendToLog(plane, cluster.cell, async () => {
    const now = await plane.store.get(clusterKind, clustersOf(cluster.organization), cluster.id);
    return now?.revision === read.revision ? [recordOf(cluster)] : [];
  });
  const { closedMs, ...opened } = cluster;
  await change(
    plane,
    read,
    cluster.wish === "open"
      ? { ...opened, logged: true, made: true }
      : { ...opened, ...(closedMs === undefined ? {} : { closedMs }), logged: true },
  );
}

function recordOf(cluster: ClusterItem): MetadataRecord {
  const { id: lkc, displayName: name, createdMs } = cluster;
  if (cluster.wish === "gone") return { type: "logical-cluster-deleted", lkc };
  const open: MetadataRecord = { type: "logical-cluster-upserted", lkc, name, createdMs };
  return cluster.wish === "open" ? open : { ...open, closedMs: cluster.closedMs ?? cluster.updatedMs };
}

async function environmentStands(plane: ControlPlane, { organization, environment }: ClusterItem): Promise<boolean> {
  const found = await plane.store.get(environmentKind, environmentsOf(organization), environment);
  return found?.value.wish === "active" && found.value.names.held !== undefined;
}

async function waitForPurge(plane: ControlPlane, read: Stored<ClusterItem>): Promise<Settled | undefined> {
  const dueMs = (read.value.closedMs ?? read.value.updatedMs) + plane.graceMs;
  const nowMs = plane.clock.wallMs();
  if (nowMs < dueMs) return { kind: "later", dueMs };
  return change(plane, read, { ...read.value, wish: "gone", logged: false, goneMs: nowMs });
}

async function buryCluster(plane: ControlPlane, read: Stored<ClusterItem>): Promise<Settled | undefined> {
  const { organization, id, goneMs } = read.value;
  const dueMs = (goneMs ?? read.value.updatedMs) + tombstoneMs;
  if (read.value.made) await dropKeys(plane, organization, id);
  if (plane.clock.wallMs() < dueMs) return { kind: "later", dueMs };
  return (await plane.store.remove(clusterKind, read)) === "done" ? { kind: "absent" } : undefined;
}

/** The log dropped the keys together with the cluster; what is left of them are the items. */
async function dropKeys(plane: ControlPlane, organization: string, cluster: string): Promise<void> {
  for await (const key of plane.store.all(apiKeyKind, apiKeysOf(organization))) {
    if (key.value.cluster !== cluster || key.value.wish === "gone") continue;
    const nowMs = plane.clock.wallMs();
    await markWork(plane, { type: "api-key", organization, id: key.value.id }, nowMs + tombstoneMs);
    await retireKey(plane, key.value, { settled: true, refusal: "cluster-gone" });
  }
}

export function scopeOf({ organization, environment }: ClusterItem): NameScope {
  return { organization, type: "cluster", within: environment };
}

/** Whether it was done or overtaken: the next step reads again. */
async function change(plane: ControlPlane, read: Stored<ClusterItem>, value: ClusterItem): Promise<undefined> {
  await plane.store.replace(clusterKind, read, value);
}
