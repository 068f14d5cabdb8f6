import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
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
import { itemStoreContract } from "./item-store.contract.ts";

const closers: (() => unknown)[] = [];
const slowCallMs = 20_000;

afterAll(async () => {
  for (const close of closers.reverse()) {
    await close();
  }
});

itemStoreContract("memory", async () => new MemoryItemStore());

itemStoreContract("timed", async () => new TimedItemStore(new MemoryItemStore(), systemTimers, slowCallMs));

itemStoreContract("sqlite", async () => openSqlite());

itemStoreContract("remote, unix socket, sqlite", async () => {
  const directory = await temporaryDirectory();
  return serve(await openSqlite(), { path: path.join(directory, "store.sock") });
});

itemStoreContract("remote, loopback, memory", async () => serve(new MemoryItemStore(), { host: "127.0.0.1", port: 0 }));

itemStoreContract("dynamodb, dynalite", async () => {
  // An untyped package, used in tests only.
  const dynalite = createRequire(import.meta.url)("dynalite") as (options: object) => Server;
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return openDynamodb(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

const awsEndpoint = process.env["AWS_ENDPOINT_URL"];
if (awsEndpoint !== undefined) {
  itemStoreContract("dynamodb, AWS_ENDPOINT_URL", async () => openDynamodb(awsEndpoint));
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
