import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as (options?: { readonly type: "minor" | "major" }) => void;

/** Frees what nobody refers to; after a turn, so that no frame of the stack holds it either. */
export async function collectAll(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  gc({ type: "major" });
}

/** Frees what is young and not referred to by anything old, be that dead or alive. */
export function collectYoung(): void {
  gc({ type: "minor" });
}
