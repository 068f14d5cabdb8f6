/**
 * Marks of unfinished work: made before an object's first write and before each change of what it asks for, so that
 * whatever a crash leaves is found.
 */
import type { Stored } from "../../../shared/control/control-kind.ts";
import { type WorkItem, type WorkType, workKind } from "../../../shared/control/items/work-item.ts";
import type { ControlPlane } from "../control-plane.ts";

export interface ObjectKey {
  readonly type: WorkType;
  readonly organization: string;
  readonly id: string;
}

/** What settling an object came to. */
export type Settled =
  /** What it asks for is in force everywhere. */
  | { readonly kind: "settled" }
  /** Nothing is to be done before then. */
  | { readonly kind: "later"; readonly dueMs: number }
  | { readonly kind: "absent" };

export function markWork(plane: ControlPlane, key: ObjectKey, dueMs = 0): Promise<Stored<WorkItem>> {
  const { type, organization, id } = key;
  return plane.store.put(workKind, { type, organization, id, dueMs, markedMs: plane.clock.wallMs() });
}

/** Takes the mark away, or puts it off. When somebody marked anew meanwhile, it stays: they, or a crash of theirs, need it. */
export async function endWork(plane: ControlPlane, mark: Stored<WorkItem>, settled: Settled): Promise<void> {
  if (settled.kind === "later") {
    await plane.store.replace(workKind, mark, { ...mark.value, dueMs: settled.dueMs });
  } else {
    await plane.store.remove(workKind, mark);
  }
}
