/**
 * Pages of a list, by id: a page begins behind the last id of the one before, so pages stay right whatever is made and
 * deleted meanwhile. A call looks through a bounded number of objects; where a filter leaves few, a page may be short or
 * even empty, and `next` goes on.
 */
import type { ControlKind, Stored } from "../../shared/control/control-kind.ts";
import { listPageMax } from "../../shared/control/limits.ts";
import type { ControlPlane } from "./control-plane.ts";
import { listScanMax, pageSizeDefault } from "./limits.ts";
import { type Refusal, refuse } from "./problem.ts";

export interface ListRequest<T extends object, V> {
  readonly kind: ControlKind<T>;
  readonly collection: string;
  readonly query: { readonly page_size?: number; readonly page_token?: string };
  readonly url: URL;
  readonly baseUrl: string;
  shows(value: T): boolean;
  view(value: T): V;
}

export interface ListPage<V> {
  readonly metadata: { readonly first: string; readonly next?: string; readonly total_size?: number };
  readonly data: V[];
}

export async function listPage<T extends object, V>(
  plane: ControlPlane,
  request: ListRequest<T, V>,
): Promise<ListPage<V> | Refusal> {
  const { kind, collection, query, url, baseUrl } = request;
  const limit = query.page_size ?? pageSizeDefault;
  const start = query.page_token === undefined ? undefined : readToken(query.page_token, collection);
  if (query.page_token !== undefined && start === undefined) {
    return refuse("unprocessable", "This page token is not of this list.", { parameter: "page_token" });
  }
  const data: V[] = [];
  let after = start;
  let more = true;
  for (let scanned = 0; more && data.length < limit && scanned < listScanMax; ) {
    const page: { readonly objects: readonly Stored<T>[]; readonly more: boolean } = await plane.store.list(
      kind,
      collection,
      // One more than is wanted tells whether this is the end.
      { after, limit: Math.min(limit - data.length + 1, listPageMax) },
    );
    scanned += page.objects.length;
    more = page.more;
    for (const { value } of page.objects) {
      if (data.length === limit) {
        more = true;
        break;
      }
      after = kind.idOf(value);
      if (request.shows(value)) data.push(request.view(value));
    }
  }
  const first = addressOf(url, baseUrl, undefined);
  const whole = start === undefined && !more;
  return {
    metadata: {
      first,
      ...(more && after !== undefined ? { next: addressOf(url, baseUrl, makeToken(after, collection)) } : {}),
      ...(whole ? { total_size: data.length } : {}),
    },
    data,
  };
}

function addressOf(url: URL, baseUrl: string, token: string | undefined): string {
  const query = new URLSearchParams(url.search);
  query.delete("page_token");
  if (token !== undefined) query.set("page_token", token);
  const text = query.toString();
  return `${baseUrl}${url.pathname}${text === "" ? "" : `?${text}`}`;
}

const tokenVersion = "1";

/** Opaque to clients; names the list, so that one of another list is refused instead of skipping objects. */
function makeToken(after: string, collection: string): string {
  return Buffer.from(JSON.stringify([tokenVersion, collection, after])).toString("base64url");
}

function readToken(token: string, collection: string): string | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (!Array.isArray(read) || read.length !== 3) return undefined;
    const [version, list, after] = read as readonly unknown[];
    const right = version === tokenVersion && list === collection && typeof after === "string";
    return right && /^[!-~]{1,512}$/.test(after) ? after : undefined;
  } catch {
    return undefined;
  }
}
