/** Bytes of one item, keys and attribute names included: DynamoDB's limit (400 KB there means 400 × 1024). */
export const itemBytesMax = 400 * 1024;

/** Items in one page of a query, whatever was asked for. */
export const pageItemsMax = 1000;

/** Bytes of items in one page of a query, as DynamoDB cuts its pages; the first item is always in it. */
export const pageBytesMax = 1024 * 1024;

/** How long one call to a store may take before it counts as unanswered. DynamoDB's p99 is 10 to 20 ms. */
export const callTimeoutMs = 1_000;
