/** A POST sent again with the same `Idempotency-Key` goes on with the id of the first. */
import { ControlUnavailableError } from "../../shared/control/control-store.ts";
import {
  type IdempotencyItem,
  idempotencyId,
  idempotencyKind,
  idempotencyRecords,
  requestDigest,
} from "../../shared/control/items/idempotency-item.ts";
import type { NewId } from "./call.ts";
import type { ControlPlane } from "./control-plane.ts";
import { idempotencyMs } from "./limits.ts";

/** The key was used with another body: a mistake of the caller. Caught by the dispatcher. */
export class IdempotencyMismatchError extends Error {
  readonly code = "IDEMPOTENCY_MISMATCH";
}

export interface IdempotentRequest {
  readonly key: string | undefined;
  /** Whose: the calling key, acting for an organization. */
  readonly caller: string;
  readonly route: string;
  readonly body: unknown;
}

const attemptsMax = 5;

/** The id for what the request makes: a new one, or that of the same request within the last ten minutes. */
export async function idForRequest(
  plane: ControlPlane,
  request: IdempotentRequest,
  make: () => string,
): Promise<NewId> {
  const { key, caller, route, body } = request;
  if (key === undefined) return { id: make(), again: false };
  const id = idempotencyId(caller, route, key);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const createdMs = plane.clock.wallMs();
    const wanted: IdempotencyItem = { id, request: requestDigest(body), objectId: make(), createdMs };
    const present = await plane.store.get(idempotencyKind, idempotencyRecords, id);
    if (present === undefined) {
      if ((await plane.store.create(idempotencyKind, wanted)).kind === "done") {
        return { id: wanted.objectId, again: false };
      }
    } else if (createdMs - present.value.createdMs >= idempotencyMs) {
      if ((await plane.store.replace(idempotencyKind, present, wanted)).kind === "done") {
        return { id: wanted.objectId, again: false };
      }
    } else if (present.value.request === wanted.request) {
      return { id: present.value.objectId, again: true };
    } else {
      throw new IdempotencyMismatchError("the Idempotency-Key was used with another body");
    }
  }
  throw new ControlUnavailableError("others keep writing the record of this Idempotency-Key");
}
