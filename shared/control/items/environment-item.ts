import { flag, objectOf, optional, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis, type NameClaims, nameClaims } from "./fields.ts";

/** Collection `environment/<organization>`: groups logical clusters. Every change replaces the revision that was read. */
export interface EnvironmentItem {
  readonly id: string;
  readonly organization: string;
  readonly displayName: string;
  readonly names: NameClaims;
  /** Made with the organisation; cannot be deleted. */
  readonly isDefault: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly wish: "active" | "gone";
  /** Since when it is gone; the item stays a while, so that a write that comes late meets it. */
  readonly goneMs?: number;
  /** Why the last thing asked of it did not come to be. */
  readonly refusal?: "name-taken" | "in-use";
}

export function environmentsOf(organization: string): string {
  return `environment/${organization}`;
}

export const environmentKind: ControlKind<EnvironmentItem> = {
  kind: "environment",
  shape: objectOf<EnvironmentItem>({
    id: text,
    organization: text,
    displayName: text,
    names: nameClaims,
    isDefault: flag,
    createdMs: millis,
    updatedMs: millis,
    wish: choice("active", "gone"),
    goneMs: optional(millis),
    refusal: optional(choice("name-taken", "in-use")),
  }),
  collectionOf: ({ organization }) => environmentsOf(organization),
  idOf: ({ id }) => id,
};
