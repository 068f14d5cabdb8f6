import { flag, objectOf, optional, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis, type NameClaims, nameClaims } from "./fields.ts";

export type Availability = "SINGLE_ZONE" | "MULTI_ZONE" | "LOW" | "HIGH";
export type ClusterConfigKind = "Basic" | "Standard";

/**
 * Collection `cluster/<organization>`: a logical cluster as it is wanted; the metadata log of its cell says what is.
 * Every change replaces the revision that was read.
 */
export interface ClusterItem {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly displayName: string;
  readonly names: NameClaims;
  /** Chosen when it was made, for good. */
  readonly cell: string;
  readonly cloud: string;
  readonly region: string;
  readonly availability: Availability;
  readonly config: ClusterConfigKind;
  readonly deletionProtection: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** `closed`: deleted, and restorable until its grace period is over. `gone`: purged. */
  readonly wish: "open" | "closed" | "gone";
  /** The log of the cell says what `wish` and `displayName` say. */
  readonly logged: boolean;
  /** It was provisioned at least once: then a name that is taken does not undo it. */
  readonly made: boolean;
  /** When it was last deleted by its tenant; kept while it is being restored. */
  readonly closedMs?: number;
  /** Since when it is gone; the item stays a while, so that a write that comes late meets it. */
  readonly goneMs?: number;
  /** Why the last thing asked of it did not come to be. */
  readonly refusal?: "name-taken" | "environment-gone";
}

export function clustersOf(organization: string): string {
  return `cluster/${organization}`;
}

export const clusterKind: ControlKind<ClusterItem> = {
  kind: "cluster",
  shape: objectOf<ClusterItem>({
    id: text,
    organization: text,
    environment: text,
    displayName: text,
    names: nameClaims,
    cell: text,
    cloud: text,
    region: text,
    availability: choice("SINGLE_ZONE", "MULTI_ZONE", "LOW", "HIGH"),
    config: choice("Basic", "Standard"),
    deletionProtection: flag,
    createdMs: millis,
    updatedMs: millis,
    wish: choice("open", "closed", "gone"),
    logged: flag,
    made: flag,
    closedMs: optional(millis),
    goneMs: optional(millis),
    refusal: optional(choice("name-taken", "environment-gone")),
  }),
  collectionOf: ({ organization }) => clustersOf(organization),
  idOf: ({ id }) => id,
};
