/**
 * Brings a service account to what its item asks for.
 *
 *   wanted name ──reserved──▶ held: settled      (taken: never made, or as before)
 *   gone: its keys are deleted ──▶ name given back ──tombstone──▶ absent
 */
import type { Stored } from "../../../shared/control/control-kind.ts";
import { apiKeyKind, apiKeysOf } from "../../../shared/control/items/api-key-item.ts";
import type { NameScope } from "../../../shared/control/items/name-reservation-item.ts";
import {
  type ServiceAccountItem,
  serviceAccountKind,
  serviceAccountsOf,
} from "../../../shared/control/items/service-account-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settleStepsMax, tombstoneMs } from "../limits.ts";
import { dropFormer, dropWanted, holdWanted, leaveName, releaseName, reserveName } from "./names.ts";
import { retireKey } from "./retire-key.ts";
import { settleApiKey } from "./settle-api-key.ts";
import { endWork, markWork, type Settled } from "./work.ts";

export async function settleServiceAccount(plane: ControlPlane, organization: string, id: string): Promise<Settled> {
  for (let step = 0; step < settleStepsMax; step++) {
    const read = await plane.store.get(serviceAccountKind, serviceAccountsOf(organization), id);
    if (read === undefined) return { kind: "absent" };
    const settled = await stepAccount(plane, read);
    if (settled !== undefined) return settled;
  }
  throw new Error(`service account ${id} does not settle`);
}

async function stepAccount(plane: ControlPlane, read: Stored<ServiceAccountItem>): Promise<Settled | undefined> {
  const account = read.value;
  const { names } = account;
  if (names.wanted !== undefined) return claimName(plane, read);
  if (account.wish === "gone" && names.held !== undefined) {
    await deleteKeys(plane, account);
    return change(plane, read, { ...account, names: leaveName(names) });
  }
  if (names.former !== undefined) {
    await releaseName(plane, scopeOf(account), account.id, names.former);
    return change(plane, read, { ...account, names: dropFormer(names) });
  }
  if (account.wish === "active") return { kind: "settled" };
  const dueMs = (account.goneMs ?? account.updatedMs) + tombstoneMs;
  if (plane.clock.wallMs() < dueMs) return { kind: "later", dueMs };
  return (await plane.store.remove(serviceAccountKind, read)) === "done" ? { kind: "absent" } : undefined;
}

async function claimName(plane: ControlPlane, read: Stored<ServiceAccountItem>): Promise<undefined> {
  const account = read.value;
  const { wanted, held } = account.names;
  if (wanted === undefined) return;
  const reserved = await reserveName(plane, scopeOf(account), account.id, wanted);
  if (reserved === "won") {
    await change(plane, read, { ...account, displayName: wanted.text, names: holdWanted(account.names) });
  } else if (reserved === "taken") {
    const names = dropWanted(account.names);
    const refusal = "name-taken";
    const never: ServiceAccountItem = { ...account, names, refusal, wish: "gone", goneMs: plane.clock.wallMs() };
    await change(plane, read, held === undefined ? never : { ...account, names, refusal });
  }
}

/** Those that are made from now on find the account gone (`settle-api-key.ts`). */
async function deleteKeys(plane: ControlPlane, { organization, id }: ServiceAccountItem): Promise<void> {
  for await (const key of plane.store.all(apiKeyKind, apiKeysOf(organization))) {
    if (key.value.owner !== id) continue;
    const mark = await markWork(plane, { type: "api-key", organization, id: key.value.id });
    await retireKey(plane, key.value, { settled: false, refusal: "owner-gone" });
    await endWork(plane, mark, await settleApiKey(plane, organization, key.value.id));
  }
}

function scopeOf({ organization }: ServiceAccountItem): NameScope {
  return { organization, type: "service-account", within: "" };
}

/** Whether it was done or overtaken: the next step reads again. */
async function change(
  plane: ControlPlane,
  read: Stored<ServiceAccountItem>,
  value: ServiceAccountItem,
): Promise<undefined> {
  await plane.store.replace(serviceAccountKind, read, value);
}
