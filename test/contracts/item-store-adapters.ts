import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamodbItemStore, dynamodbClient } from "../../shared/item-store/dynamodb-item-store.ts";
import { ensureTable } from "../../shared/item-store/dynamodb-table.ts";
import type { ItemStore } from "../../shared/item-store/item-store.ts";
import { startItemStoreServer } from "../../shared/item-store/item-store-server.ts";
import { MemoryItemStore } from "../../shared/item-store/memory-item-store.ts";
import { RemoteItemStore } from "../../shared/item-store/remote-item-store.ts";
import { SqliteItemStore } from "../../shared/item-store/sqlite-item-store.ts";
import type { StoreEndpoint } from "../../shared/item-store/store-endpoint.ts";
import { TimedItemStore } from "../../shared/item-store/timed-item-store.ts";
import { systemTimers } from "../../shared/ports/timers.ts";

const closers: (() => unknown)[] = [];
const slowCallMs = 20_000;

/** Item stores by name, each opened anew by each call. */
export const itemStoreAdapters: ReadonlyMap<string, () => Promise<ItemStore>> = new Map([
  ["memory", async () => new MemoryItemStore()],
  ["timed", async () => new TimedItemStore(new MemoryItemStore(), systemTimers, slowCallMs)],
  ["sqlite", () => openSqlite()],
  ["remote, unix socket, sqlite", () => openUnixSocket()],
  ["remote, loopback, memory", () => serve(new MemoryItemStore(), { host: "127.0.0.1", port: 0 })],
  ["dynamodb, dynalite", () => openDynalite()],
  ...awsAdapters(),
]);

/** Closes all that was opened; call it after the tests of a file. */
export async function closeAdapters(): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
}

function awsAdapters(): readonly [string, () => Promise<ItemStore>][] {
  const endpoint = process.env["AWS_ENDPOINT_URL"];
  return endpoint === undefined ? [] : [["dynamodb, AWS_ENDPOINT_URL", () => openDynamodb(endpoint)]];
}

async function openUnixSocket(): Promise<ItemStore> {
  const directory = await temporaryDirectory();
  return serve(await openSqlite(), { path: path.join(directory, "store.sock") });
}

async function openDynalite(): Promise<ItemStore> {
  // An untyped package, used in tests only.
  const dynalite = createRequire(import.meta.url)("dynalite") as (options: object) => Server;
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return openDynamodb(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function openSqlite(): Promise<SqliteItemStore> {
  const store = new SqliteItemStore(path.join(await temporaryDirectory(), "items.sqlite"));
  closers.push(() => store.close());
  return store;
}

async function serve(store: ItemStore, listen: StoreEndpoint): Promise<RemoteItemStore> {
  const server = await startItemStoreServer({ store, listen, token: "secret" });
  const remote = new RemoteItemStore({
    endpoint: server.endpoint,
    token: "secret",
    timers: systemTimers,
    timeoutMs: slowCallMs,
  });
  closers.push(() => server.close());
  closers.push(() => remote.close());
  return remote;
}

async function openDynamodb(endpoint: string): Promise<DynamodbItemStore> {
  const client = dynamodbClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  closers.push(() => client.destroy());
  const table = `items-${process.pid}`;
  await ensureTable(client, table, systemTimers);
  return new DynamodbItemStore({ table, client, timers: systemTimers, timeoutMs: slowCallMs });
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "balafon-items-"));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
