import { dynamodbClient } from "../shared/item-store/dynamodb-item-store.ts";
import { ensureTable } from "../shared/item-store/dynamodb-table.ts";
import type { Timers } from "../shared/ports/timers.ts";

/** Makes the metadata table of local cells on a DynamoDB endpoint, unless it is there. */
export async function ensureMetadataTable(
  options: { readonly endpoint: string; readonly region: string; readonly table: string },
  timers: Timers,
): Promise<void> {
  const { endpoint, region, table } = options;
  const client = dynamodbClient({ endpoint, region });
  try {
    await ensureTable(client, table, timers);
  } finally {
    client.destroy();
  }
}
