import type { Item, PutCondition, SortKey } from "./item-store.ts";

/** Whether a write may replace (or delete) what is there. */
export function writeAllowed(present: Item<SortKey> | undefined, condition: PutCondition): boolean {
  switch (condition.kind) {
    case "none":
      return true;
    case "absent":
      return present === undefined;
    case "equals":
      return present !== undefined && present.attributes[condition.attribute] === condition.value;
  }
}
