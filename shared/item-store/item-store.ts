/**
 * A table of small items with strong consistency and conditional writes: what Balafon needs of DynamoDB, and no more.
 * An item is addressed by a partition key (string) and a numeric sort key, as `log` and `seq` in the metadata table.
 */
export interface ItemStore {
  /** A strongly consistent read. */
  get(key: ItemKey): Promise<GetResult>;
  /** Items of one partition by ascending sort key, `from` included, strongly consistent; a page may be short. */
  query(range: ItemRange): Promise<QueryResult>;
  /** Writes the whole item if the condition holds. */
  put(item: Item, condition: PutCondition): Promise<WriteResult>;
  /** Deletes the item if the condition holds; one that is absent counts as deleted. */
  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult>;
}

export interface ItemKey {
  readonly partition: string;
  readonly sort: number;
}

export type AttributeValue = string | number | boolean | Uint8Array;

export interface Item extends ItemKey {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface ItemRange {
  readonly partition: string;
  readonly from: number;
  /** Items at most; the page may hold fewer (DynamoDB: 1 MB a page). */
  readonly limit: number;
}

export type PutCondition =
  | { readonly kind: "none" }
  | { readonly kind: "absent" }
  /** The item exists and the named attribute equals the value. */
  | { readonly kind: "equals"; readonly attribute: string; readonly value: string | number };

export type DeleteCondition = Exclude<PutCondition, { readonly kind: "absent" }>;

/**
 * Why a call did not do its work. `throttled`: not done, try later. `unavailable`: not done. `unknown`: it may have been
 * done (timeout, broken connection after sending): the caller settles it by reading. `invalid`: never will be done.
 */
export interface StoreFailure {
  readonly kind: "throttled" | "unavailable" | "unknown" | "invalid";
  readonly message: string;
}

export type GetResult = { readonly kind: "found"; readonly item: Item } | { readonly kind: "absent" } | StoreFailure;

export type QueryResult =
  | { readonly kind: "page"; readonly items: readonly Item[]; readonly more: boolean }
  | StoreFailure;

export type WriteResult = { readonly kind: "done" } | { readonly kind: "conflict" } | StoreFailure;
