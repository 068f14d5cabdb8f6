/**
 * The item store of another process of this machine (`item-store-server.ts`). Connections are kept open. A call that is
 * not answered in time, or whose connection breaks, is `unavailable` when it cannot have reached the store or was a
 * read, and `unknown` otherwise.
 */
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { Timers } from "../ports/timers.ts";
import { asObject, decodeItem, encodeItem, type SortOf } from "./item-json.ts";
import { itemFault } from "./item-size.ts";
import type {
  DeleteCondition,
  GetResult,
  Item,
  ItemKey,
  ItemRange,
  ItemStore,
  PutCondition,
  QueryResult,
  SortKind,
  StoreFailure,
  WriteResult,
} from "./item-store.ts";
import { callTimeoutMs, connectionsMax, responseBytesMax } from "./limits.ts";
import { callPaths, type StoreEndpoint, tokenHeader } from "./store-endpoint.ts";

export interface RemoteItemStoreOptions {
  readonly endpoint: StoreEndpoint;
  /** The server's. */
  readonly token: string;
  readonly timers: Timers;
  readonly timeoutMs?: number;
}

type Answered = { readonly kind: "answered"; readonly body: Readonly<Record<string, unknown>> };

export class RemoteItemStore<Kind extends SortKind = "number"> implements ItemStore<SortOf<Kind>> {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  readonly #options: RemoteItemStoreOptions;
  readonly #kind: Kind;
  readonly #paths: (typeof callPaths)[SortKind];

  /** `kind`: of the sort keys of the table that it stands for. */
  constructor(options: RemoteItemStoreOptions, kind: Kind) {
    this.#options = options;
    this.#kind = kind;
    this.#paths = callPaths[kind];
  }

  /** Closes the connections; calls under way end as failures. */
  close(): void {
    this.#agent.destroy();
  }

  async get(key: ItemKey<SortOf<Kind>>): Promise<GetResult<SortOf<Kind>>> {
    const answer = await this.#call(this.#paths.get, { partition: key.partition, sort: key.sort }, false);
    if (answer.kind !== "answered") {
      return answer;
    }
    const { body } = answer;
    return body["kind"] === "found"
      ? { kind: "found", item: decodeItem(body["item"], this.#kind) }
      : (body as unknown as GetResult<SortOf<Kind>>);
  }

  async query(range: ItemRange<SortOf<Kind>>): Promise<QueryResult<SortOf<Kind>>> {
    const { partition, from, limit } = range;
    const answer = await this.#call(this.#paths.query, { partition, from, limit }, false);
    if (answer.kind !== "answered") {
      return answer;
    }
    const { body } = answer;
    if (body["kind"] !== "page") return body as unknown as QueryResult<SortOf<Kind>>;
    const items = (body["items"] as readonly unknown[]).map((item) => decodeItem(item, this.#kind));
    return { kind: "page", items, more: body["more"] === true };
  }

  async put(item: Item<SortOf<Kind>>, condition: PutCondition): Promise<WriteResult> {
    const fault = itemFault(item);
    if (fault !== undefined) {
      return { kind: "invalid", message: fault };
    }
    const answer = await this.#call(this.#paths.put, { item: encodeItem(item), condition }, true);
    return answer.kind === "answered" ? (answer.body as unknown as WriteResult) : answer;
  }

  async delete(key: ItemKey<SortOf<Kind>>, condition: DeleteCondition): Promise<WriteResult> {
    const body = { partition: key.partition, sort: key.sort, condition };
    const answer = await this.#call(this.#paths.delete, body, true);
    return answer.kind === "answered" ? (answer.body as unknown as WriteResult) : answer;
  }

  #call(path: string, call: object, writes: boolean): Promise<Answered | StoreFailure> {
    const { endpoint, token, timers } = this.#options;
    const timeoutMs = this.#options.timeoutMs ?? callTimeoutMs;
    const body = Buffer.from(JSON.stringify(call));
    const target = "path" in endpoint ? { socketPath: endpoint.path } : endpoint;
    return new Promise((resolve) => {
      const request = httpRequest({
        ...target,
        path,
        method: "POST",
        agent: this.#agent,
        headers: { "content-type": "application/json", "content-length": body.length, [tokenHeader]: token },
      });
      const cancel = timers.after(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      const settle = (result: Answered | StoreFailure) => {
        cancel();
        resolve(result);
      };
      const sent = watchSending(request);
      const fail = (message: string) => settle({ kind: writes && sent() ? "unknown" : "unavailable", message });
      request.on("error", (error) => fail(error.message));
      request.on("response", (response) => {
        readAnswer(response).then(settle, (error: unknown) => fail(String(error)));
      });
      request.end(body);
    });
  }
}

/** Tells whether any of the request can have left: not before it has a connection that is made. */
function watchSending(request: ClientRequest): () => boolean {
  let sent = false;
  const mark = () => {
    sent = true;
  };
  request.on("socket", (socket) => {
    if (socket.connecting) {
      socket.once("connect", mark);
    } else {
      mark();
    }
  });
  return () => sent;
}

async function readAnswer(response: IncomingMessage): Promise<Answered | StoreFailure> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > responseBytesMax) {
      throw new Error(`an answer of more than ${responseBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  const body = asObject(JSON.parse(Buffer.concat(chunks).toString()) as unknown, "answer");
  if (response.statusCode === 200) {
    return { kind: "answered", body };
  }
  if (response.statusCode === 500) {
    throw new Error("the store failed");
  }
  return { kind: "invalid", message: `status ${response.statusCode}: ${String(body["message"])}` };
}
