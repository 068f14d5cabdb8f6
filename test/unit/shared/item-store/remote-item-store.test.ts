import { mkdtemp, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { ItemStore } from "../../../../shared/item-store/item-store.ts";
import { startItemStoreServer } from "../../../../shared/item-store/item-store-server.ts";
import { requestBytesMax } from "../../../../shared/item-store/limits.ts";
import { MemoryItemStore } from "../../../../shared/item-store/memory-item-store.ts";
import { RemoteItemStore } from "../../../../shared/item-store/remote-item-store.ts";
import { SqliteItemStore } from "../../../../shared/item-store/sqlite-item-store.ts";
import type { StoreEndpoint } from "../../../../shared/item-store/store-endpoint.ts";
import { systemTimers, type Timers } from "../../../../shared/ports/timers.ts";
import { ManualTime } from "../../broker/handlers/manual-time.ts";

const key = { partition: "cell-1", sort: 1 };
const item = { ...key, attributes: { a: 1 } };
const absent = { kind: "absent" } as const;
const none = { kind: "none" } as const;
/** No test waits for it: a process that stands still for a moment would take an answer that is there for one that is late. */
const timeoutMs = 60_000;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
});

function openRemote(endpoint: StoreEndpoint, token = "token", timers: Timers = systemTimers): RemoteItemStore {
  const remote = new RemoteItemStore({ endpoint, token, timers, timeoutMs }, "number");
  closers.push(() => remote.close());
  return remote;
}

async function openServer(store: ItemStore = new MemoryItemStore()) {
  const server = await startItemStoreServer({ store, listen: { host: "127.0.0.1", port: 0 }, token: "token" });
  closers.push(() => server.close());
  return server;
}

/** A port on which something else than the store listens. */
async function openSocketServer(onSocket: (socket: Socket) => void): Promise<StoreEndpoint> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

describe("a remote store whose server", () => {
  test("is not there: nothing was done", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "balafon-remote-"));
    closers.push(() => rm(directory, { recursive: true }));
    const remote = openRemote({ path: path.join(directory, "none.sock") });
    expect((await remote.get(key)).kind).toBe("unavailable");
    expect((await remote.put(item, absent)).kind).toBe("unavailable");
  });

  test("accepts and never answers: a write may have been done", async () => {
    const time = new ManualTime();
    const calls = 4;
    const asked = Promise.withResolvers<void>();
    let requests = 0;
    const server = await openSocketServer((socket) =>
      socket.once("data", () => {
        requests += 1;
        if (requests === calls) asked.resolve();
      }),
    );
    const remote = openRemote(server, "token", time);
    const results = [
      remote.get(key),
      remote.query({ partition: "p", from: 1, limit: 1 }),
      remote.put(item, absent),
      remote.delete(key, none),
    ];
    expect(results).toHaveLength(calls);
    await asked.promise;
    await time.advance(timeoutMs);
    expect((await Promise.all(results)).map(({ kind }) => kind)).toEqual([
      "unavailable",
      "unavailable",
      "unknown",
      "unknown",
    ]);
  });

  test("breaks the connection after the request: the same", async () => {
    const remote = openRemote(await openSocketServer((socket) => socket.once("data", () => socket.destroy())));
    expect((await remote.get(key)).kind).toBe("unavailable");
    expect((await remote.put(item, absent)).kind).toBe("unknown");
  });

  test("answers with something else, or without end: the same", async () => {
    const garbage = openRemote(await openSocketServer((socket) => socket.once("data", () => socket.end("what?"))));
    expect((await garbage.put(item, absent)).kind).toBe("unknown");
    const half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    const time = new ManualTime();
    const server = await openSocketServer((socket) =>
      socket.once("data", () => socket.write(half, () => void time.advance(timeoutMs))),
    );
    const halting = openRemote(server, "token", time);
    expect((await halting.put(item, absent)).kind).toBe("unknown");
    expect((await halting.get(key)).kind).toBe("unavailable");
  });

  test("restarts: calls work again", async () => {
    const store = new MemoryItemStore();
    const first = await openServer(store);
    const remote = openRemote(first.endpoint);
    expect((await remote.put(item, absent)).kind).toBe("done");
    await first.close();
    // On a kept connection whose end was not noticed yet the call may be taken for sent.
    expect(["unavailable", "unknown"]).toContain((await remote.put(item, absent)).kind);
    const again = await startItemStoreServer({ store, listen: first.endpoint, token: "token" });
    closers.push(() => again.close());
    expect((await remote.put(item, absent)).kind).toBe("conflict");
  });

  test("has a store that fails by a bug: a write may have been done", async () => {
    const broken = () => Promise.reject(new Error("bug"));
    const { endpoint } = await openServer({ get: broken, query: broken, put: broken, delete: broken });
    const remote = openRemote(endpoint);
    expect((await remote.put(item, absent)).kind).toBe("unknown");
    expect((await remote.get(key)).kind).toBe("unavailable");
  });

  test("passes the store's own failures on as they are", async () => {
    const throttled = async () => ({ kind: "throttled", message: "slow down" }) as const;
    const { endpoint } = await openServer({ get: throttled, query: throttled, put: throttled, delete: throttled });
    const remote = openRemote(endpoint);
    expect(await remote.put(item, absent)).toEqual({ kind: "throttled", message: "slow down" });
    expect(await remote.get(key)).toEqual({ kind: "throttled", message: "slow down" });
  });
});

describe("the item store server", () => {
  test("refuses callers without the token", async () => {
    const { endpoint } = await openServer();
    const stranger = openRemote(endpoint, "wrong");
    expect((await stranger.put(item, absent)).kind).toBe("invalid");
    expect((await stranger.get(key)).kind).toBe("invalid");
    expect(await openRemote(endpoint).get(key)).toEqual(absent);
  });

  test("keeps its socket to its own user", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "balafon-remote-"));
    closers.push(() => rm(directory, { recursive: true }));
    const listen = { path: path.join(directory, "store.sock") };
    const server = await startItemStoreServer({ store: new MemoryItemStore(), listen, token: "token" });
    closers.push(() => server.close());
    expect((await stat(listen.path)).mode & 0o777).toBe(0o600);
  });

  test("answers what it cannot read with the reason, and what is too long without reading it", async () => {
    const { endpoint } = await openServer();
    expect(await post(endpoint, "/v1/put", "{")).toBe(400);
    expect(await post(endpoint, "/v1/put", JSON.stringify({ item: 1 }))).toBe(400);
    expect(await post(endpoint, "/v1/delete", JSON.stringify({ ...key, condition: absent }))).toBe(400);
    expect(await post(endpoint, "/v1/other", "{}")).toBe(404);
    expect(await post(endpoint, "/v1/put", "x".repeat(requestBytesMax + 1))).toBe(413);
    expect(await post(endpoint, "/v1/get", JSON.stringify(key))).toBe(200);
  });

  function post(endpoint: StoreEndpoint, target: string, body: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const headers = { "x-balafon-store-token": "token" };
      const call = request({ ...endpoint, path: target, method: "POST", headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on("error", reject);
      call.end(body);
    });
  }
});

describe("the SQLite file", () => {
  test("keeps its items over a restart, and has one owner at a time", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "balafon-sqlite-"));
    closers.push(() => rm(directory, { recursive: true }));
    const file = path.join(directory, "items.sqlite");
    const store = new SqliteItemStore(file, "number");
    await store.put({ ...item, attributes: { bytes: Buffer.from("abc"), big: 2 ** 53 - 1 } }, absent);
    expect(() => new SqliteItemStore(file, "number")).toThrow("locked");
    store.close();
    expect((await store.get(key)).kind).toBe("unavailable");
    expect((await store.put(item, none)).kind).not.toBe("done");

    const again = new SqliteItemStore(file, "number");
    closers.push(() => again.close());
    const found = await again.get(key);
    expect(found.kind === "found" && found.item.attributes).toEqual({ bytes: Buffer.from("abc"), big: 2 ** 53 - 1 });
  });
});
