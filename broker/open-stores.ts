import { storeToken } from "../shared/access/store-token.ts";
import type { BrokerConfig } from "../shared/broker-config/broker-config.ts";
import type { ItemStore } from "../shared/item-store/item-store.ts";
import { RemoteItemStore } from "../shared/item-store/remote-item-store.ts";
import { DirectoryObjectStore } from "../shared/object-store/directory-object-store.ts";
import type { ObjectStore } from "../shared/object-store/object-store.ts";
import type { Timers } from "../shared/ports/timers.ts";

/**
 * The stores that the configuration names: embedded ones of the local cloud, or those of AWS. The AWS SDK is loaded only
 * where it is used: it is a third of a broker's heap, and every garbage collection walks that.
 */
export async function openItemStore(
  config: BrokerConfig["items"],
  cellSecret: Buffer,
  timers: Timers,
): Promise<ItemStore> {
  if (config.kind === "socket")
    return new RemoteItemStore({ endpoint: { path: config.path }, token: storeToken(cellSecret), timers });
  const { DynamodbItemStore, dynamodbClient } = await import("../shared/item-store/dynamodb-item-store.ts");
  const { region, endpoint, table } = config;
  return new DynamodbItemStore({
    client: dynamodbClient({ region, ...(endpoint === undefined ? {} : { endpoint }) }),
    table,
    timers,
  });
}

export async function openObjectStore(config: BrokerConfig["objects"], timers: Timers): Promise<ObjectStore> {
  if (config.kind === "directory") return new DirectoryObjectStore(config.path);
  const { S3ObjectStore, s3Client } = await import("../shared/object-store/s3-object-store.ts");
  const { region, endpoint, bucket } = config;
  return new S3ObjectStore({
    client: s3Client({ region, ...(endpoint === undefined ? {} : { endpoint }) }),
    bucket,
    timers,
  });
}
