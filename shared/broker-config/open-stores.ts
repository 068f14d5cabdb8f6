import { storeToken } from "../access/store-token.ts";
import type { SortOf } from "../item-store/item-json.ts";
import type { ItemStore, SortKind } from "../item-store/item-store.ts";
import type { ObjectStore } from "../object-store/object-store.ts";
import type { Timers } from "../ports/timers.ts";
import type { ItemStoreConfig, ObjectStoreConfig } from "./broker-config.ts";

// The adapters are loaded when they are asked for: the AWS SDK alone costs more than the rest of a start.

/** Items with numbers for sort keys: where metadata logs are. `cellSecret`: the content of `cellSecretFile`. */
export function openItemStore(config: ItemStoreConfig, options: OpenStoreOptions): Promise<ItemStore> {
  return openStoreOf(config, "number", options);
}

/** Items with texts for sort keys: the control plane's. */
export function openTextItemStore(config: ItemStoreConfig, options: OpenStoreOptions): Promise<ItemStore<string>> {
  return openStoreOf(config, "text", options);
}

interface OpenStoreOptions {
  readonly cellSecret: Buffer;
  readonly timers: Timers;
}

async function openStoreOf<Kind extends SortKind>(
  config: ItemStoreConfig,
  kind: Kind,
  options: OpenStoreOptions,
): Promise<ItemStore<SortOf<Kind>>> {
  const { cellSecret, timers } = options;
  if (config.kind === "socket") {
    const { RemoteItemStore } = await import("../item-store/remote-item-store.ts");
    return new RemoteItemStore({ endpoint: { path: config.path }, token: storeToken(cellSecret), timers }, kind);
  }
  const { DynamodbItemStore, dynamodbClient } = await import("../item-store/dynamodb-item-store.ts");
  const { kind: _kind, table, ...client } = config;
  return new DynamodbItemStore({ client: dynamodbClient(client), table, kind, timers });
}

/** The object store that the configuration names. */
export async function openObjectStore(config: ObjectStoreConfig, timers: Timers): Promise<ObjectStore> {
  if (config.kind === "directory") {
    const { DirectoryObjectStore } = await import("../object-store/directory-object-store.ts");
    return new DirectoryObjectStore(config.path);
  }
  const { S3ObjectStore, s3Client } = await import("../object-store/s3-object-store.ts");
  const { kind: _kind, bucket, ...client } = config;
  // Emulators have no host name for each bucket.
  return new S3ObjectStore({
    client: s3Client({ ...client, forcePathStyle: client.endpoint !== undefined }),
    bucket,
    timers,
  });
}
