/** Makes the table of an item store where no CDK stack does: on local endpoints and in tests. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import type { Timers } from "../ports/timers.ts";
import { keyAttributes } from "./item-size.ts";
import type { SortKind } from "./item-store.ts";
import { tableReadyAttemptsMax, tableReadyWaitMs } from "./limits.ts";

/** Resolves when the table is there and takes calls; rejects when it does not come up in time. */
export async function ensureTable(
  client: DynamoDBClient,
  table: { readonly name: string; readonly kind: SortKind },
  timers: Timers,
): Promise<void> {
  await createUnlessThere(client, table.name, table.kind);
  for (let attempt = 0; attempt < tableReadyAttemptsMax; attempt++) {
    if ((await tableStatus(client, table.name)) === "ACTIVE") {
      return;
    }
    await new Promise<void>((resolve) => timers.after(tableReadyWaitMs, resolve));
  }
  throw new Error(`table ${table.name} did not become active`);
}

async function createUnlessThere(client: DynamoDBClient, table: string, kind: SortKind): Promise<void> {
  const names = keyAttributes[kind];
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: names.partition, AttributeType: "S" },
          { AttributeName: names.sort, AttributeType: kind === "number" ? "N" : "S" },
        ],
        KeySchema: [
          { AttributeName: names.partition, KeyType: "HASH" },
          { AttributeName: names.sort, KeyType: "RANGE" },
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) {
      throw error;
    }
  }
}

async function tableStatus(client: DynamoDBClient, table: string): Promise<string | undefined> {
  try {
    const described = await client.send(new DescribeTableCommand({ TableName: table }));
    return described.Table?.TableStatus;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw error;
  }
}
