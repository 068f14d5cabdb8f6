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
import { tableReadyAttemptsMax, tableReadyWaitMs } from "./limits.ts";

/** Resolves when the table is there and takes calls; rejects when it does not come up in time. */
export async function ensureTable(client: DynamoDBClient, table: string, timers: Timers): Promise<void> {
  await createUnlessThere(client, table);
  for (let attempt = 0; attempt < tableReadyAttemptsMax; attempt++) {
    if ((await tableStatus(client, table)) === "ACTIVE") {
      return;
    }
    await new Promise<void>((resolve) => timers.after(tableReadyWaitMs, resolve));
  }
  throw new Error(`table ${table} did not become active`);
}

async function createUnlessThere(client: DynamoDBClient, table: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: keyAttributes.partition, AttributeType: "S" },
          { AttributeName: keyAttributes.sort, AttributeType: "N" },
        ],
        KeySchema: [
          { AttributeName: keyAttributes.partition, KeyType: "HASH" },
          { AttributeName: keyAttributes.sort, KeyType: "RANGE" },
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
