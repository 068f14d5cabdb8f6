import { objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { choice, millis } from "./fields.ts";

export type WorkType = "cluster" | "environment" | "service-account" | "api-key";

/**
 * Collection `work`: an object on which something is left to do. Written before the object's first write and before each
 * change of what it asks for, deleted by whoever settled it, under the revision that they wrote or read. So the
 * reconciler looks at what is unfinished and at nothing else.
 */
export interface WorkItem {
  readonly type: WorkType;
  readonly organization: string;
  readonly id: string;
  /** Not before: a deleted cluster waits here for its purge. */
  readonly dueMs: number;
  readonly markedMs: number;
}

export const work = "work";

export const workKind: ControlKind<WorkItem> = {
  kind: "work",
  shape: objectOf<WorkItem>({
    type: choice("cluster", "environment", "service-account", "api-key"),
    organization: text,
    id: text,
    dueMs: millis,
    markedMs: millis,
  }),
  collectionOf: () => work,
  idOf: ({ type, organization, id }) => `${type}/${organization}/${id}`,
};
