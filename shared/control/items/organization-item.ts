import { flag, objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { millis } from "./fields.ts";

/** Collection `organization`: who owns objects. Written once; a tenant's, or the operator's own. */
export interface OrganizationItem {
  readonly id: string;
  readonly displayName: string;
  /** Its cloud keys are operators': they see and change every organisation's objects. */
  readonly operator: boolean;
  /** The environment that was made with it. */
  readonly defaultEnvironment: string;
  readonly createdMs: number;
}

export const organizations = "organization";

export const organizationKind: ControlKind<OrganizationItem> = {
  kind: "organization",
  shape: objectOf<OrganizationItem>({
    id: text,
    displayName: text,
    operator: flag,
    defaultEnvironment: text,
    createdMs: millis,
  }),
  collectionOf: () => organizations,
  idOf: ({ id }) => id,
};
