import { createHash } from "node:crypto";
import { objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { millis } from "./fields.ts";

/**
 * Collection `idempotency`: a POST that came with an `Idempotency-Key`, and the id of what it makes. Written once, before
 * anything else of the call, so that the same call sent again goes on with the same id; deleted when it expired.
 */
export interface IdempotencyItem {
  /** Digest of caller, route and key. */
  readonly id: string;
  /** Digest of the body: the same key with another body is a mistake of the caller. */
  readonly request: string;
  readonly objectId: string;
  readonly createdMs: number;
}

export const idempotencyRecords = "idempotency";

export function idempotencyId(caller: string, route: string, key: string): string {
  return createHash("sha256")
    .update(JSON.stringify([caller, route, key]))
    .digest("base64url");
}

export function requestDigest(body: unknown): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("base64url");
}

export const idempotencyKind: ControlKind<IdempotencyItem> = {
  kind: "idempotency",
  shape: objectOf<IdempotencyItem>({ id: text, request: text, objectId: text, createdMs: millis }),
  collectionOf: () => idempotencyRecords,
  idOf: ({ id }) => id,
};
