import type { StoreFailure } from "../item-store/item-store.ts";

/** Named, immutable-by-convention blobs: what Balafon needs of S3. */
export interface ObjectStore {
  /** Writes an object with a checksum. `ifAbsent`: `conflict` when one is there already. */
  put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult>;
  /** The whole object, or the byte range [start, end). */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult>;
  /** Keys under a prefix, ascending, after `startAfter`; a page may be short. */
  list(prefix: string, startAfter?: string): Promise<ObjectListResult>;
  /** Deletes; an absent object counts as deleted. */
  delete(key: string): Promise<ObjectWriteResult>;
}

export type ObjectWriteResult = { readonly kind: "done" } | { readonly kind: "conflict" } | StoreFailure;
export type ObjectGetResult =
  | { readonly kind: "found"; readonly body: Buffer; readonly totalBytes: number }
  | { readonly kind: "absent" }
  | StoreFailure;
export type ObjectListResult =
  | { readonly kind: "page"; readonly keys: readonly string[]; readonly more: boolean }
  | StoreFailure;
