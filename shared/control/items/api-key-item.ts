import { flag, objectOf, optional, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis } from "./fields.ts";

/**
 * Collection `api-key/<organization>`: an API key as it is wanted. One with a logical cluster (a cluster key) is what the
 * metadata log of the cluster's cell says; one without (a cloud key) authenticates calls of the provisioning API by this
 * very item. Every change replaces the revision that was read.
 */
export interface ApiKeyItem {
  readonly id: string;
  readonly organization: string;
  /** The service account that it acts for. */
  readonly owner: string;
  readonly displayName: string;
  readonly description: string;
  /** Salted hash of the secret (`shared/access/api-key-secret.ts`); the secret is nowhere. */
  readonly verifier: string;
  /** A cluster key's logical cluster and its cell. */
  readonly cluster?: string;
  readonly cell?: string;
  readonly expiresMs?: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly wish: "active" | "gone";
  /** What `wish` says is in force: in the log, or for a cloud key in its locator. */
  readonly settled: boolean;
  /** Since when it is gone; the item stays a while, so that a write that comes late meets it. */
  readonly goneMs?: number;
  /** Why the last thing asked of it did not come to be. */
  readonly refusal?: "owner-gone" | "cluster-gone";
}

export function apiKeysOf(organization: string): string {
  return `api-key/${organization}`;
}

export const apiKeyKind: ControlKind<ApiKeyItem> = {
  kind: "api-key",
  shape: objectOf<ApiKeyItem>({
    id: text,
    organization: text,
    owner: text,
    displayName: text,
    description: text,
    verifier: text,
    cluster: optional(text),
    cell: optional(text),
    expiresMs: optional(millis),
    createdMs: millis,
    updatedMs: millis,
    wish: choice("active", "gone"),
    settled: flag,
    goneMs: optional(millis),
    refusal: optional(choice("owner-gone", "cluster-gone")),
  }),
  collectionOf: ({ organization }) => apiKeysOf(organization),
  idOf: ({ id }) => id,
};
