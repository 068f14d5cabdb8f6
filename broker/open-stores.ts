import { storeToken } from "../shared/access/store-token.ts";
import type { BrokerConfig } from "../shared/broker-config/broker-config.ts";
import { DynamodbItemStore, dynamodbClient } from "../shared/item-store/dynamodb-item-store.ts";
import type { ItemStore } from "../shared/item-store/item-store.ts";
import { RemoteItemStore } from "../shared/item-store/remote-item-store.ts";
import { DirectoryObjectStore } from "../shared/object-store/directory-object-store.ts";
import type { ObjectStore } from "../shared/object-store/object-store.ts";
import { S3ObjectStore, s3Client } from "../shared/object-store/s3-object-store.ts";
import type { Timers } from "../shared/ports/timers.ts";

/** The stores that the configuration names: embedded ones of the local cloud, or those of AWS. */
export function openItemStore(config: BrokerConfig["items"], cellSecret: Buffer, timers: Timers): ItemStore {
  if (config.kind === "socket")
    return new RemoteItemStore({ endpoint: { path: config.path }, token: storeToken(cellSecret), timers });
  const { region, endpoint, table } = config;
  return new DynamodbItemStore({
    client: dynamodbClient({ region, ...(endpoint === undefined ? {} : { endpoint }) }),
    table,
    timers,
  });
}

export function openObjectStore(config: BrokerConfig["objects"], timers: Timers): ObjectStore {
  if (config.kind === "directory") return new DirectoryObjectStore(config.path);
  const { region, endpoint, bucket } = config;
  return new S3ObjectStore({
    client: s3Client({ region, ...(endpoint === undefined ? {} : { endpoint }) }),
    bucket,
    timers,
  });
}
