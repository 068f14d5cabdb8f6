/** The two ways in which a call writes an object: always a mark first, then the write, then settling. */
import type { ControlKind, Stored } from "../../../shared/control/control-kind.ts";
import type { WorkItem } from "../../../shared/control/items/work-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { changeAttemptsMax } from "../limits.ts";
import { type Refusal, refuse } from "../problem.ts";
import { settleMarked, settleSoon } from "./settle.ts";
import { markWork, type ObjectKey } from "./work.ts";

export interface Created<T> {
  /** As it is after settling; undefined when it is gone already. */
  readonly value: T | undefined;
  /** False: it was there, made by the same call sent before. */
  readonly fresh: boolean;
}

/** Makes an object that asks for something, and settles it as far as the table and the log answer. */
export async function createObject<T extends object>(
  plane: ControlPlane,
  kind: ControlKind<T>,
  key: ObjectKey,
  value: T,
): Promise<Created<T>> {
  const mark = await markWork(plane, key);
  const created = await plane.store.create(kind, value);
  await settleSoon(plane, mark);
  const now = await plane.store.get(kind, kind.collectionOf(value), key.id);
  return { value: now?.value, fresh: created.kind === "done" };
}

/** What a change makes of an object as it is now: another value, or a reason why not. `as-is`: only settle it. */
export type Change<T> = { readonly value: T } | { readonly kind: "as-is" } | Refusal;

export interface ChangeRequest<T extends object> {
  readonly kind: ControlKind<T>;
  readonly collection: string;
  readonly key: ObjectKey;
  /** Something is still to be done for an earlier change: it comes first. */
  isUnsettled(value: T): boolean;
  decide(value: T): Change<T>;
}

/** Changes an object and settles it; the value is as it is after that. Throws when it cannot be settled now. */
export async function changeObject<T extends object>(
  plane: ControlPlane,
  request: ChangeRequest<T>,
): Promise<{ readonly value: T } | Refusal> {
  const { kind, collection, key } = request;
  let mark: Stored<WorkItem> | undefined;
  for (let attempt = 0; attempt < changeAttemptsMax; attempt++) {
    const read = await plane.store.get(kind, collection, key.id);
    if (read === undefined) return endWith(plane, mark, notFound);
    const change = request.decide(read.value);
    if ("problems" in change) return endWith(plane, mark, change);
    mark ??= await markWork(plane, key);
    if (request.isUnsettled(read.value)) {
      await settleMarked(plane, mark);
      mark = undefined;
      if ("value" in change) continue;
      return await after(plane, request);
    }
    if ("value" in change && (await plane.store.replace(kind, read, change.value)).kind === "conflict") continue;
    await settleMarked(plane, mark);
    return await after(plane, request);
  }
  return endWith(plane, mark, refuse("conflict", "Others kept changing it at the same time: try again."));
}

export const notFound: Refusal = refuse("not-found", "There is no such object.");

async function after<T extends object>(
  plane: ControlPlane,
  { kind, collection, key }: ChangeRequest<T>,
): Promise<{ readonly value: T } | Refusal> {
  const now = await plane.store.get(kind, collection, key.id);
  return now === undefined ? notFound : { value: now.value };
}

async function endWith(plane: ControlPlane, mark: Stored<WorkItem> | undefined, refusal: Refusal): Promise<Refusal> {
  if (mark !== undefined) await settleMarked(plane, mark);
  return refusal;
}
