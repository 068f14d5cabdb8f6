import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamodbItemStore, dynamodbClient } from "../../shared/item-store/dynamodb-item-store.ts";
import { ensureTable } from "../../shared/item-store/dynamodb-table.ts";
import type { SortOf } from "../../shared/item-store/item-json.ts";
import type { ItemStore, SortKind } from "../../shared/item-store/item-store.ts";
import { startItemStoreServer } from "../../shared/item-store/item-store-server.ts";
import { MemoryItemStore } from "../../shared/item-store/memory-item-store.ts";
import { RemoteItemStore } from "../../shared/item-store/remote-item-store.ts";
import { SqliteItemStore } from "../../shared/item-store/sqlite-item-store.ts";
import type { StoreEndpoint } from "../../shared/item-store/store-endpoint.ts";
import { TimedItemStore } from "../../shared/item-store/timed-item-store.ts";
import { systemTimers } from "../../shared/ports/timers.ts";

const closers: (() => unknown)[] = [];
const slowCallMs = 20_000;

type Adapters<Kind extends SortKind> = ReadonlyMap<string, () => Promise<ItemStore<SortOf<Kind>>>>;

/** Item stores by name, each opened anew by each call. */
export const itemStoreAdapters: Adapters<"number"> = adaptersOf("number");

/** The same with texts for sort keys. */
export const textItemStoreAdapters: Adapters<"text"> = adaptersOf("text");

function adaptersOf<Kind extends SortKind>(kind: Kind): Adapters<Kind> {
  type Sort = SortOf<Kind>;
  return new Map<string, () => Promise<ItemStore<Sort>>>([
    ["memory", async () => new MemoryItemStore<Sort>()],
    ["timed", async () => new TimedItemStore(new MemoryItemStore<Sort>(), systemTimers, slowCallMs)],
    ["sqlite", () => openSqlite(kind)],
    ["remote, unix socket, sqlite", () => openUnixSocket(kind)],
    ["remote, loopback, memory", () => serve(new MemoryItemStore<Sort>(), { host: "127.0.0.1", port: 0 }, kind)],
    ["dynamodb, dynalite", () => openDynalite(kind)],
    ...awsAdapters(kind),
  ]);
}

/** Closes all that was opened; call it after the tests of a file. */
export async function closeAdapters(): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
}

function awsAdapters<Kind extends SortKind>(kind: Kind): readonly [string, () => Promise<ItemStore<SortOf<Kind>>>][] {
  const endpoint = process.env["AWS_ENDPOINT_URL"];
  return endpoint === undefined ? [] : [["dynamodb, AWS_ENDPOINT_URL", () => openDynamodb(endpoint, kind)]];
}

async function openUnixSocket<Kind extends SortKind>(kind: Kind): Promise<ItemStore<SortOf<Kind>>> {
  const directory = await temporaryDirectory();
  return serve(await openSqlite(kind), { path: path.join(directory, "store.sock") }, kind);
}

async function openDynalite<Kind extends SortKind>(kind: Kind): Promise<ItemStore<SortOf<Kind>>> {
  // An untyped package, used in tests only.
  const dynalite = createRequire(import.meta.url)("dynalite") as (options: object) => Server;
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return openDynamodb(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, kind);
}

async function openSqlite<Kind extends SortKind>(kind: Kind): Promise<SqliteItemStore<Kind>> {
  const store = new SqliteItemStore(path.join(await temporaryDirectory(), "items.sqlite"), kind);
  closers.push(() => store.close());
  return store;
}

async function serve<Kind extends SortKind>(
  served: ItemStore<SortOf<Kind>>,
  listen: StoreEndpoint,
  kind: Kind,
): Promise<RemoteItemStore<Kind>> {
  // The other kind is served beside it, as in the store process, and stays empty.
  const stores = {
    store: kind === "number" ? (served as ItemStore) : new MemoryItemStore(),
    textStore: kind === "text" ? (served as unknown as ItemStore<string>) : new MemoryItemStore<string>(),
  };
  const server = await startItemStoreServer({ ...stores, listen, token: "secret" });
  const remote = new RemoteItemStore(
    { endpoint: server.endpoint, token: "secret", timers: systemTimers, timeoutMs: slowCallMs },
    kind,
  );
  closers.push(() => server.close());
  closers.push(() => remote.close());
  return remote;
}

async function openDynamodb<Kind extends SortKind>(endpoint: string, kind: Kind): Promise<DynamodbItemStore<Kind>> {
  const client = dynamodbClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  closers.push(() => client.destroy());
  const table = `${kind}-items-${process.pid}`;
  await ensureTable(client, { name: table, kind }, systemTimers);
  return new DynamodbItemStore({ table, kind, client, timers: systemTimers, timeoutMs: slowCallMs });
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "balafon-items-"));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
