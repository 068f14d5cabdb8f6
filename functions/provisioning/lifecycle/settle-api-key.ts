/**
 * Brings an API key to what its item asks for. A cluster key is in force by the entry in its cell's log, a cloud key by
 * its item together with the locator that leads to it.
 *
 *   active: owner and cluster stand ──▶ entry, or locator ──▶ settled
 *              └─ not ─▶ gone
 *   gone:   entry that deletes it, or locator deleted ──▶ settled ──tombstone──▶ absent
 */
import type { Stored } from "../../../shared/control/control-kind.ts";
import { type ApiKeyItem, apiKeyKind, apiKeysOf } from "../../../shared/control/items/api-key-item.ts";
import { clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import { keyLocatorKind, keyLocators } from "../../../shared/control/items/key-locator-item.ts";
import { serviceAccountKind, serviceAccountsOf } from "../../../shared/control/items/service-account-item.ts";
import type { MetadataRecord } from "../../../shared/metadata/records/record.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settleStepsMax, tombstoneMs } from "../limits.ts";
import { appendToLog } from "./log-append.ts";
import type { Settled } from "./work.ts";

export async function settleApiKey(plane: ControlPlane, organization: string, id: string): Promise<Settled> {
  for (let step = 0; step < settleStepsMax; step++) {
    const read = await plane.store.get(apiKeyKind, apiKeysOf(organization), id);
    if (read === undefined) return { kind: "absent" };
    const settled = await stepKey(plane, read);
    if (settled !== undefined) return settled;
  }
  throw new Error(`key ${id} does not settle`);
}

async function stepKey(plane: ControlPlane, read: Stored<ApiKeyItem>): Promise<Settled | undefined> {
  const key = read.value;
  if (!key.settled) {
    const orphan = key.wish === "active" ? await orphaned(plane, key) : undefined;
    if (orphan !== undefined) {
      const goneMs = plane.clock.wallMs();
      return change(plane, read, { ...key, wish: "gone", goneMs, refusal: orphan });
    }
    await (key.cell === undefined ? putLocator(plane, key) : appendKey(plane, read, key.cell));
    return change(plane, read, { ...key, settled: true });
  }
  if (key.wish === "active") return { kind: "settled" };
  const dueMs = (key.goneMs ?? key.updatedMs) + tombstoneMs;
  if (plane.clock.wallMs() < dueMs) return { kind: "later", dueMs };
  return (await plane.store.remove(apiKeyKind, read)) === "done" ? { kind: "absent" } : undefined;
}

/**
 * Whether what the key hangs on is gone. Read after the key's item was written: whoever deletes an owner or a cluster
 * writes that first and looks for keys then, so one of the two sees the other.
 */
async function orphaned(plane: ControlPlane, key: ApiKeyItem): Promise<"owner-gone" | "cluster-gone" | undefined> {
  const { organization, owner, cluster } = key;
  const account = await plane.store.get(serviceAccountKind, serviceAccountsOf(organization), owner);
  if (account?.value.wish !== "active" || account.value.names.held === undefined) return "owner-gone";
  if (cluster === undefined) return undefined;
  const found = await plane.store.get(clusterKind, clustersOf(organization), cluster);
  return found === undefined || found.value.wish === "gone" ? "cluster-gone" : undefined;
}

async function appendKey(plane: ControlPlane, read: Stored<ApiKeyItem>, cell: string): Promise<void> {
  const key = read.value;
  await appendToLog(plane, cell, async () => {
    const now = await plane.store.get(apiKeyKind, apiKeysOf(key.organization), key.id);
    return now?.revision === read.revision ? [recordOf(key)] : [];
  });
}

function recordOf(key: ApiKeyItem): MetadataRecord {
  if (key.wish === "gone") return { type: "api-key-deleted", keyId: key.id };
  return {
    type: "api-key-upserted",
    keyId: key.id,
    lkc: key.cluster ?? "",
    principal: `User:${key.owner}`,
    verifier: key.verifier,
    createdMs: key.createdMs,
    ...(key.expiresMs === undefined ? {} : { expiresMs: key.expiresMs }),
  };
}

async function putLocator(plane: ControlPlane, { id, organization, wish }: ApiKeyItem): Promise<void> {
  if (wish === "active") {
    await plane.store.put(keyLocatorKind, { id, organization });
    return;
  }
  const locator = await plane.store.get(keyLocatorKind, keyLocators, id);
  if (locator !== undefined) await plane.store.remove(keyLocatorKind, locator);
}

/** Whether it was done or overtaken: the next step reads again. */
async function change(plane: ControlPlane, read: Stored<ApiKeyItem>, value: ApiKeyItem): Promise<undefined> {
  await plane.store.replace(apiKeyKind, read, value);
}
