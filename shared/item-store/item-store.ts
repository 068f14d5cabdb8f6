/**
 * A sort key: a whole number (`seq` of the metadata logs' table), or a text (`id` of the control plane's table). Texts
 * are printable ASCII without spaces, so that every store orders them alike.
 */
export type SortKey = number | string;

/** Which of the two a table has. */
export type SortKind = "number" | "text";

/**
 * A table of small items with strong consistency and conditional writes: what Balafon needs of DynamoDB, and no more.
 * An item is addressed by a partition key (string) and a sort key, which is of one kind in all of a table.
 */
export interface ItemStore<Sort extends SortKey = number> {
  /** A strongly consistent read. */
  get(key: ItemKey<Sort>): Promise<GetResult<Sort>>;
  /** Items of one partition by ascending sort key, `from` included, strongly consistent; a page may be short. */
  query(range: ItemRange<Sort>): Promise<QueryResult<Sort>>;
  /** Writes the whole item if the condition holds. */
  put(item: Item<Sort>, condition: PutCondition): Promise<WriteResult>;
  /** Deletes the item if the condition holds; one that is absent counts as deleted. */
  delete(key: ItemKey<Sort>, condition: DeleteCondition): Promise<WriteResult>;
}

export interface ItemKey<Sort extends SortKey = number> {
  readonly partition: string;
  readonly sort: Sort;
}

export type AttributeValue = string | number | boolean | Uint8Array;

export interface Item<Sort extends SortKey = number> extends ItemKey<Sort> {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface ItemRange<Sort extends SortKey = number> {
  readonly partition: string;
  readonly from: Sort;
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

export type GetResult<Sort extends SortKey = number> =
  | { readonly kind: "found"; readonly item: Item<Sort> }
  | { readonly kind: "absent" }
  | StoreFailure;

export type QueryResult<Sort extends SortKey = number> =
  | { readonly kind: "page"; readonly items: readonly Item<Sort>[]; readonly more: boolean }
  | StoreFailure;

export type WriteResult = { readonly kind: "done" } | { readonly kind: "conflict" } | StoreFailure;
