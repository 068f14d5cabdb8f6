/**
 * Finishes or removes what calls and crashes left, purges deleted logical clusters when their grace period is over, and
 * deletes records that expired. Run on a schedule; several at once do no harm.
 */
import { audit as auditCollection, auditId, auditKind } from "../../shared/control/items/audit-item.ts";
import { idempotencyKind, idempotencyRecords } from "../../shared/control/items/idempotency-item.ts";
import { work, workKind } from "../../shared/control/items/work-item.ts";
import type { ControlPlane } from "./control-plane.ts";
import { settle } from "./lifecycle/settle.ts";
import { endWork } from "./lifecycle/work.ts";
import {
  abandonedMs,
  auditKeptMs,
  expiredDeletesMax,
  idempotencyMs,
  reconcileObjectsMax,
  youngMarkMs,
} from "./limits.ts";

export interface Reconciled {
  /** Objects on which something was left to do, and now is not. */
  readonly settled: number;
  /** Those that could not be settled now; the next run tries again. */
  readonly failed: readonly { readonly id: string; readonly error: unknown }[];
  /** Expired records that were deleted. */
  readonly expired: number;
}

export async function reconcile(plane: ControlPlane): Promise<Reconciled> {
  const failed: { id: string; error: unknown }[] = [];
  let settled = 0;
  let looked = 0;
  for await (const mark of plane.store.all(workKind, work)) {
    const { id, dueMs, markedMs } = mark.value;
    const nowMs = plane.clock.wallMs();
    if (dueMs > nowMs) continue;
    if (looked++ >= reconcileObjectsMax) break;
    try {
      const outcome = await settle(plane, mark.value);
      // The call that marked it may be about to write, an object's first item even later: the mark has to be there then.
      const youngMs = outcome.kind === "absent" ? abandonedMs : youngMarkMs;
      if (dueMs === 0 && nowMs - markedMs < youngMs) continue;
      await endWork(plane, mark, outcome);
      settled++;
    } catch (error) {
      failed.push({ id, error });
    }
  }
  const expired = (await deleteOldIdempotency(plane)) + (await deleteOldAudit(plane));
  return { settled, failed, expired };
}

async function deleteOldIdempotency(plane: ControlPlane): Promise<number> {
  let deleted = 0;
  for await (const record of plane.store.all(idempotencyKind, idempotencyRecords)) {
    if (plane.clock.wallMs() - record.value.createdMs < idempotencyMs) continue;
    await plane.store.remove(idempotencyKind, record);
    if (++deleted >= expiredDeletesMax) break;
  }
  return deleted;
}

/** Ids are newest first, so what is too old stands behind one place. */
async function deleteOldAudit(plane: ControlPlane): Promise<number> {
  const after = auditId(plane.clock.wallMs() - auditKeptMs, "");
  const { objects } = await plane.store.list(auditKind, auditCollection, { after, limit: expiredDeletesMax });
  for (const entry of objects) await plane.store.remove(auditKind, entry);
  return objects.length;
}
