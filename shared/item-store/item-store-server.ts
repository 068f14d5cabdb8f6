/**
 * Serves item stores to the other processes of a machine over HTTP, one for each kind of sort key. One request is one call; what the call answered,
 * failures included, is the JSON body of a 200. Another status means that the call never reached the store.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  asNumber,
  asObject,
  asSort,
  asText,
  decodeDeleteCondition,
  decodeItem,
  decodePutCondition,
  encodeItem,
  ItemJsonError,
  type SortOf,
} from "./item-json.ts";
import type { ItemStore, SortKind } from "./item-store.ts";
import { idleConnectionMs, requestBytesMax, requestReceiveMs, serverConnectionsMax } from "./limits.ts";
import { callPaths, type StoreEndpoint, tokenHeader } from "./store-endpoint.ts";

export interface ItemStoreServerOptions {
  readonly store: ItemStore;
  /** Items with texts for sort keys; calls for them are answered with 404 when it is left out. */
  readonly textStore?: ItemStore<string>;
  /** A socket file that a dead process left there is replaced; port 0 takes any free port. */
  readonly listen: StoreEndpoint;
  readonly token: string;
}

export interface ItemStoreServer {
  readonly endpoint: StoreEndpoint;
  /** Stops listening and closes every connection; calls under way may get no answer. */
  close(): Promise<void>;
}

export async function startItemStoreServer(options: ItemStoreServerOptions): Promise<ItemStoreServer> {
  const { listen, token } = options;
  const server = createServer({ keepAliveTimeout: idleConnectionMs, requestTimeout: requestReceiveMs });
  server.maxConnections = serverConnectionsMax;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    serve(options, token, request).then(
      ({ status, body }) => answer(response, status, body),
      () => answer(response, 500, { message: "the store failed" }),
    );
  });
  if ("path" in listen) {
    await rm(listen.path, { force: true });
  }
  await listening(server, listen);
  if ("path" in listen) {
    await chmod(listen.path, 0o600);
  }
  return {
    endpoint: boundTo(server, listen),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, listen: StoreEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function boundTo(server: Server, listen: StoreEndpoint): StoreEndpoint {
  const address = server.address();
  return "path" in listen || address === null || typeof address === "string"
    ? listen
    : { host: listen.host, port: address.port };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Stores = Pick<ItemStoreServerOptions, "store" | "textStore">;

const noSuchCall: Answer = { status: 404, body: { message: "no such call" } };

async function serve(stores: Stores, token: string, request: IncomingMessage): Promise<Answer> {
  if (request.method !== "POST" || request.headers[tokenHeader] !== token) {
    request.resume();
    return { status: 403, body: { message: "not allowed" } };
  }
  const body = await wholeBody(request);
  if (body === undefined) {
    return { status: 413, body: { message: `a request has ${requestBytesMax} bytes at most` } };
  }
  try {
    const path = request.url ?? "";
    const json = asObject(JSON.parse(body) as unknown, "request");
    const text = Object.values(callPaths.text).some((known) => known === path);
    if (!text) return await call(stores.store, "number", path, json);
    return stores.textStore === undefined ? noSuchCall : await call(stores.textStore, "text", path, json);
  } catch (error) {
    if (error instanceof ItemJsonError || error instanceof SyntaxError) {
      return { status: 400, body: { message: error.message } };
    }
    throw error;
  }
}

async function call<Kind extends SortKind>(
  store: ItemStore<SortOf<Kind>>,
  kind: Kind,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const paths = callPaths[kind];
  switch (path) {
    case paths.get: {
      const result = await store.get({ partition: asText(body["partition"]), sort: asSort(body["sort"], kind) });
      return { status: 200, body: result.kind === "found" ? { ...result, item: encodeItem(result.item) } : result };
    }
    case paths.query: {
      const [partition, limit] = [asText(body["partition"]), asNumber(body["limit"])];
      const result = await store.query({ partition, from: asSort(body["from"], kind), limit });
      return {
        status: 200,
        body: result.kind === "page" ? { ...result, items: result.items.map(encodeItem) } : result,
      };
    }
    case paths.put: {
      const item = decodeItem(body["item"], kind);
      return { status: 200, body: await store.put(item, decodePutCondition(body["condition"])) };
    }
    case paths.delete: {
      const key = { partition: asText(body["partition"]), sort: asSort(body["sort"], kind) };
      return { status: 200, body: await store.delete(key, decodeDeleteCondition(body["condition"])) };
    }
    default:
      return noSuchCall;
  }
}

/** Undefined when the body is too long; the rest of it is let go by. */
async function wholeBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= requestBytesMax) {
      chunks.push(chunk);
    }
  }
  return bytes > requestBytesMax ? undefined : Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}
