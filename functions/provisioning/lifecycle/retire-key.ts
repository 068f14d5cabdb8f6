import { type ApiKeyItem, apiKeyKind, apiKeysOf } from "../../../shared/control/items/api-key-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { changeAttemptsMax } from "../limits.ts";

/** Writes that a key is gone, whatever others write to it at the same time. Mark it before, settle it after. */
export async function retireKey(
  plane: ControlPlane,
  key: Pick<ApiKeyItem, "organization" | "id">,
  why: Required<Pick<ApiKeyItem, "refusal" | "settled">>,
): Promise<void> {
  for (let attempt = 0; attempt < changeAttemptsMax; attempt++) {
    const read = await plane.store.get(apiKeyKind, apiKeysOf(key.organization), key.id);
    if (read === undefined || read.value.wish === "gone") return;
    const gone: ApiKeyItem = { ...read.value, ...why, wish: "gone", goneMs: plane.clock.wallMs() };
    if ((await plane.store.replace(apiKeyKind, read, gone)).kind === "done") return;
  }
  throw new Error(`key ${key.id} kept changing while it was retired`);
}
