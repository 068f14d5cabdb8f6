/** Bytes of one item, keys and attribute names included: DynamoDB's limit (400 KB there means 400 × 1024). */
export const itemBytesMax = 400 * 1024;

/** Bytes of a sort key that is a text: DynamoDB's limit. */
export const sortKeyBytesMax = 1024;

/** Items in one page of a query, whatever was asked for. */
export const pageItemsMax = 1000;

/** Bytes of items in one page of a query, as DynamoDB cuts its pages; the first item is always in it. */
export const pageBytesMax = 1024 * 1024;

/** How long one call to a store may take before it counts as unanswered. DynamoDB's p99 is 10 to 20 ms. */
export const callTimeoutMs = 1_000;

/** Bytes of one request to the item store server: an item whose bytes are in base64 (4/3), and room for the rest. */
export const requestBytesMax = 640 * 1024;

/** Bytes of one answer of the item store server: a page of items in base64, and its last item. */
export const responseBytesMax = 4 * 1024 * 1024;

/** Connections of one process to the item store server; further calls wait, within their timeout. */
export const connectionsMax = 16;

/** Connections that the item store server keeps open: brokers, router and functions of one machine. */
export const serverConnectionsMax = 256;

/** How long an idle connection stays open at the server; clients reopen it when it is gone. */
export const idleConnectionMs = 600_000;

/** How long the server waits for one whole request. */
export const requestReceiveMs = 10_000;

/** How long SQLite waits for a lock: nobody else should ever hold one. */
export const lockWaitMs = 1_000;

/** Polls for a DynamoDB table that is being made, and the wait between two. */
export const tableReadyAttemptsMax = 60;
export const tableReadyWaitMs = 500;
