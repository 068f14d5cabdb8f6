import { dynamodbClient } from "../shared/item-store/dynamodb-item-store.ts";
import { ensureTable } from "../shared/item-store/dynamodb-table.ts";
import type { SortKind } from "../shared/item-store/item-store.ts";
import type { Timers } from "../shared/ports/timers.ts";

/** Makes a table on a DynamoDB endpoint, unless it is there. */
export async function ensureDynamodbTable(
  options: { readonly endpoint: string; readonly region: string; readonly table: string; readonly kind: SortKind },
  timers: Timers,
): Promise<void> {
  const { endpoint, region, table: name, kind } = options;
  const client = dynamodbClient({ endpoint, region });
  try {
    await ensureTable(client, { name, kind }, timers);
  } finally {
    client.destroy();
  }
}
