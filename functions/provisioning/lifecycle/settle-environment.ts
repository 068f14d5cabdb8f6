/**
 * Brings an environment to what its item asks for.
 *
 *   wanted name ──reserved──▶ held: settled      (taken: never made, or as before)
 *   gone: has it open clusters? ──no──▶ name given back ──tombstone──▶ absent
 *              └─ yes ─▶ active again
 */
import type { Stored } from "../../../shared/control/control-kind.ts";
import { clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import {
  type EnvironmentItem,
  environmentKind,
  environmentsOf,
} from "../../../shared/control/items/environment-item.ts";
import type { NameScope } from "../../../shared/control/items/name-reservation-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settleStepsMax, tombstoneMs } from "../limits.ts";
import { dropFormer, dropWanted, holdWanted, leaveName, releaseName, reserveName } from "./names.ts";
import type { Settled } from "./work.ts";

export async function settleEnvironment(plane: ControlPlane, organization: string, id: string): Promise<Settled> {
  for (let step = 0; step < settleStepsMax; step++) {
    const read = await plane.store.get(environmentKind, environmentsOf(organization), id);
    if (read === undefined) return { kind: "absent" };
    const settled = await stepEnvironment(plane, read);
    if (settled !== undefined) return settled;
  }
  throw new Error(`environment ${id} does not settle`);
}

async function stepEnvironment(plane: ControlPlane, read: Stored<EnvironmentItem>): Promise<Settled | undefined> {
  const environment = read.value;
  const { names } = environment;
  if (names.wanted !== undefined) return claimName(plane, read);
  if (environment.wish === "gone" && names.held !== undefined) {
    if (await hasOpenClusters(plane, environment)) {
      const { goneMs: _goneMs, ...again } = environment;
      return change(plane, read, { ...again, wish: "active", refusal: "in-use" });
    }
    return change(plane, read, { ...environment, names: leaveName(names) });
  }
  if (names.former !== undefined) {
    await releaseName(plane, scopeOf(environment), environment.id, names.former);
    return change(plane, read, { ...environment, names: dropFormer(names) });
  }
  if (environment.wish === "active") return { kind: "settled" };
  const dueMs = (environment.goneMs ?? environment.updatedMs) + tombstoneMs;
  if (plane.clock.wallMs() < dueMs) return { kind: "later", dueMs };
  return (await plane.store.remove(environmentKind, read)) === "done" ? { kind: "absent" } : undefined;
}

async function claimName(plane: ControlPlane, read: Stored<EnvironmentItem>): Promise<undefined> {
  const environment = read.value;
  const { wanted, held } = environment.names;
  if (wanted === undefined) return;
  const reserved = await reserveName(plane, scopeOf(environment), environment.id, wanted);
  if (reserved === "won") {
    await change(plane, read, { ...environment, displayName: wanted.text, names: holdWanted(environment.names) });
  } else if (reserved === "taken") {
    const names = dropWanted(environment.names);
    const refusal = "name-taken";
    const never: EnvironmentItem = { ...environment, names, refusal, wish: "gone", goneMs: plane.clock.wallMs() };
    await change(plane, read, held === undefined ? never : { ...environment, names, refusal });
  }
}

/**
 * Looked at after the environment's item said that it is gone: a cluster made meanwhile either is seen here, or sees
 * that before it opens (`settle-cluster.ts`).
 */
async function hasOpenClusters(plane: ControlPlane, { organization, id }: EnvironmentItem): Promise<boolean> {
  for await (const { value } of plane.store.all(clusterKind, clustersOf(organization))) {
    if (value.environment === id && value.wish === "open") return true;
  }
  return false;
}

function scopeOf({ organization }: EnvironmentItem): NameScope {
  return { organization, type: "environment", within: "" };
}

/** Whether it was done or overtaken: the next step reads again. */
async function change(plane: ControlPlane, read: Stored<EnvironmentItem>, value: EnvironmentItem): Promise<undefined> {
  await plane.store.replace(environmentKind, read, value);
}
