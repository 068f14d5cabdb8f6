import { objectOf, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";

/**
 * Collection `key-locator`: in which organisation a cloud key is, for calls that come with its id alone. Proves nothing:
 * the key's own item says whether it stands. Written before the key is in force, deleted with it.
 */
export interface KeyLocatorItem {
  readonly id: string;
  readonly organization: string;
}

export const keyLocators = "key-locator";

export const keyLocatorKind: ControlKind<KeyLocatorItem> = {
  kind: "key-locator",
  shape: objectOf<KeyLocatorItem>({ id: text, organization: text }),
  collectionOf: () => keyLocators,
  idOf: ({ id }) => id,
};
