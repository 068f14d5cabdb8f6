import { createHash } from "node:crypto";
import { integer, objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";

/** Within what names are unique: service accounts and environments of an organisation, clusters of an environment. */
export interface NameScope {
  readonly organization: string;
  readonly type: "cluster" | "environment" | "service-account";
  /** The environment of clusters; empty for the others. */
  readonly within: string;
}

/**
 * Collection `name/<organization>`: which object has a name. Counts only while the object itself claims it in this
 * generation (`NameClaims`); what a crash left is taken over by the next who wants the name.
 */
export interface NameReservationItem {
  readonly organization: string;
  readonly type: string;
  readonly within: string;
  readonly name: string;
  readonly holder: string;
  readonly generation: number;
}

export function namesOf(organization: string): string {
  return `name/${organization}`;
}

/** Names are any text; an id is printable ASCII, so it holds a digest of the name. */
export function nameReservationId(scope: NameScope, name: string): string {
  return `${scope.type}/${scope.within}/${createHash("sha256").update(name).digest("base64url")}`;
}

export const nameReservationKind: ControlKind<NameReservationItem> = {
  kind: "name-reservation",
  shape: objectOf<NameReservationItem>({
    organization: text,
    type: text,
    within: text,
    name: text,
    holder: text,
    generation: integer(1),
  }),
  collectionOf: ({ organization }) => namesOf(organization),
  idOf: ({ organization, type, within, name }) =>
    nameReservationId({ organization, type: type as NameScope["type"], within }, name),
};
