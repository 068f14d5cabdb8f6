import { objectOf, optional, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis, type NameClaims, nameClaims } from "./fields.ts";

/** Collection `service-account/<organization>`: who keys act for. Every change replaces the revision that was read. */
export interface ServiceAccountItem {
  readonly id: string;
  readonly organization: string;
  readonly displayName: string;
  readonly description: string;
  readonly names: NameClaims;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly wish: "active" | "gone";
  /** Since when it is gone; the item stays a while, so that a write that comes late meets it. */
  readonly goneMs?: number;
  /** Why the last thing asked of it did not come to be. */
  readonly refusal?: "name-taken";
}

export function serviceAccountsOf(organization: string): string {
  return `service-account/${organization}`;
}

export const serviceAccountKind: ControlKind<ServiceAccountItem> = {
  kind: "service-account",
  shape: objectOf<ServiceAccountItem>({
    id: text,
    organization: text,
    displayName: text,
    description: text,
    names: nameClaims,
    createdMs: millis,
    updatedMs: millis,
    wish: choice("active", "gone"),
    goneMs: optional(millis),
    refusal: optional(choice("name-taken")),
  }),
  collectionOf: ({ organization }) => serviceAccountsOf(organization),
  idOf: ({ id }) => id,
};
