/** A small client of the API, typed by the contract: `await client.call("getCluster", { params, query })`. */
import { type Contract, contract, type RouteName } from "./contract/contract.ts";
import type { AnswerOf, BodyOf, ParamsOf, QueryOf } from "./contract/route.ts";
import type { FailureView } from "./contract/schemas.ts";

/** The parts that a route has; those that it has none of, or whose fields are all optional, may be left out. */
export type Input<Name extends RouteName> = Part<"params", ParamsOf<Contract[Name]>> &
  Part<"query", QueryOf<Contract[Name]>> &
  (BodyOf<Contract[Name]> extends undefined ? unknown : { readonly body: BodyOf<Contract[Name]> });

// A part whose fields are all optional is itself optional.
type Part<Key extends string, Value> = {} extends Value
  ? { readonly [K in Key]?: Value }
  : { readonly [K in Key]: Value };

export interface ClientOptions {
  /** `https://api.example.com`, without a slash at the end. */
  readonly baseUrl: string;
  readonly keyId: string;
  readonly secret: string;
  /** For operators: whose objects calls are about. */
  readonly organization?: string;
}

/** An answer that is not the one that was asked for. */
export class ApiFailure extends Error {
  readonly code = "API_FAILURE";
  readonly status: number;
  readonly errors: FailureView["errors"];
  /** Seconds to wait, if the API said so. */
  readonly retryAfter: number | undefined;

  constructor(status: number, errors: FailureView["errors"], retryAfter: number | undefined) {
    super(errors.map(({ detail }) => detail).join(" ") || `status ${status}`);
    this.name = "ApiFailure";
    this.status = status;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

interface AnyInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

export class ProvisioningClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Throws `ApiFailure` for any other answer than the route's own; `idempotencyKey` makes a POST safe to send again. */
  async call<Name extends RouteName>(
    name: Name,
    input: Input<Name>,
    idempotencyKey?: string,
  ): Promise<AnswerOf<Contract[Name]>> {
    const { method, path, status } = contract[name];
    const { params = {}, query = {}, body } = input as AnyInput;
    const place = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
    const { baseUrl, keyId, secret, organization } = this.#options;
    const response = await fetch(`${baseUrl}${place}${search.size > 0 ? `?${search.toString()}` : ""}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${keyId}:${secret}`).toString("base64")}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(organization === undefined ? {} : { "balafon-organization": organization }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text === "" ? undefined : JSON.parse(text);
    if (response.status === status) return json as AnswerOf<Contract[Name]>;
    const retryAfter = response.headers.get("retry-after");
    const { errors = [] } = (json ?? {}) as Partial<FailureView>;
    throw new ApiFailure(response.status, errors, retryAfter === null ? undefined : Number(retryAfter));
  }
}
