import { createHmac } from "node:crypto";

/**
 * What a process of the cell shows to the embedded item store: derived from the cell's secret, so that there is one
 * secret to keep, and so that what goes over the store's socket is not that secret.
 */
export function storeToken(cellSecret: Buffer): string {
  return createHmac("sha256", cellSecret).update("balafon embedded item store").digest("hex");
}
