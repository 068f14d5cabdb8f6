import { integer, objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis } from "./fields.ts";

/**
 * Collection `audit`: who asked for which change, when, from where, and what became of it. Written before the change is
 * begun (`started`: its outcome was never recorded) and once more when it ended. Never holds a secret: no bodies.
 */
export interface AuditItem {
  /** Newest first in ascending order (`auditId`). */
  readonly id: string;
  readonly atMs: number;
  readonly organization: string;
  /** The cloud key that asked, and the service account that it acts for. */
  readonly keyId: string;
  readonly principal: string;
  readonly method: string;
  /** As it was asked for, without its query. */
  readonly path: string;
  /** The object that it made or changed; empty when there is none. */
  readonly objectId: string;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly outcome: "started" | "done" | "refused" | "failed";
  /** HTTP status; 0 while `started`. */
  readonly status: number;
}

export const audit = "audit";

const endOfTimeMs = 9_999_999_999_999;

/** An id that orders newer entries before older ones, so that a list begins with the newest. */
export function auditId(atMs: number, unique: string): string {
  return `aud-${String(endOfTimeMs - atMs).padStart(13, "0")}-${unique}`;
}

export const auditKind: ControlKind<AuditItem> = {
  kind: "audit",
  shape: objectOf<AuditItem>({
    id: text,
    atMs: millis,
    organization: text,
    keyId: text,
    principal: text,
    method: text,
    path: text,
    objectId: text,
    sourceIp: text,
    requestId: text,
    outcome: choice("started", "done", "refused", "failed"),
    status: integer(0),
  }),
  collectionOf: () => audit,
  idOf: ({ id }) => id,
};
