/**
 * What happens to a call, whatever carried it here:
 *
 *   route ▶ who calls ▶ how often ▶ may they ▶ for whom ▶ is it well formed ▶ audit: started ▶ handler ▶ audit: outcome
 *
 * Each check ends the call with one refusal. What throws is broken (`functions/middleware/http-api.ts` answers for it).
 */
import { organizationKind, organizations } from "../../shared/control/items/organization-item.ts";
import type { ApiAnswer, ApiRequest } from "./api-request.ts";
import { AuditEntry } from "./audit-trail.ts";
import { authenticate, basicCredentials } from "./authentication.ts";
import type { Call, Caller, Handler } from "./call.ts";
import { contract, type RouteName } from "./contract/contract.ts";
import type { RouteDefinition } from "./contract/route.ts";
import type { ControlPlane } from "./control-plane.ts";
import { handlers } from "./handlers/all-handlers.ts";
import { IdempotencyMismatchError, idForRequest } from "./idempotency.ts";
import {
  bodyBytesMax,
  failureBurstMax,
  failuresPerSecondMax,
  idempotencyKeyCharactersMax,
  requestBurstMax,
  requestsPerSecondMax,
} from "./limits.ts";
import { failureBody, type Problem, type Refusal, refuse, statusOf } from "./problem.ts";
import { RateLimit, type RateVerdict } from "./rate-limit.ts";
import { matchRoute } from "./route-match.ts";
import { Validator } from "./validator.ts";

export const organizationHeader = "balafon-organization";
export const idempotencyHeader = "idempotency-key";

export interface RequestRates {
  readonly perSecond: number;
  readonly burst: number;
}

/** Compiled schemas, made once for all of the process. */
const validator = new Validator();

export class ProvisioningApi {
  readonly #plane: ControlPlane;
  readonly #requests: RateLimit;
  readonly #failures: RateLimit;

  constructor(plane: ControlPlane, rates: RequestRates = { perSecond: requestsPerSecondMax, burst: requestBurstMax }) {
    this.#plane = plane;
    this.#requests = new RateLimit(plane.clock, rates);
    this.#failures = new RateLimit(plane.clock, { perSecond: failuresPerSecondMax, burst: failureBurstMax });
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const match = matchRoute(request.method, request.path);
    switch (match.kind) {
      case "none":
        return refused(refuse("not-found", "There is no such path."), request);
      case "not-offered":
        return refused(refuse("not-found", match.detail), request);
      case "other-method": {
        const refusal = refuse("method-not-allowed", `${request.method} is not offered here.`);
        return refused({ ...refusal, headers: { allow: match.allowed.join(", ") } }, request);
      }
      case "route":
        return this.#answerRoute(request, match.name, match.params);
    }
  }

  async #answerRoute(
    request: ApiRequest,
    name: RouteName,
    params: Readonly<Record<string, string>>,
  ): Promise<ApiAnswer> {
    const caller = await this.#authenticate(request);
    if ("problems" in caller) return refused(caller, request);
    const rate = this.#requests.take(caller.keyId);
    const rateHeaders = headersOf(rate);
    if (!rate.allowed) {
      const refusal = refuse("rate-limited", "Too many requests with this key: wait, then go on.");
      const retry = { "retry-after": String(rate.resetSeconds) };
      return refused({ ...refusal, headers: { ...rateHeaders, ...retry } }, request);
    }
    const answer = await this.#answerCaller(request, name, params, caller);
    return { ...answer, headers: { ...rateHeaders, ...answer.headers } };
  }

  async #authenticate(request: ApiRequest): Promise<Caller | Refusal> {
    const credentials = basicCredentials(request.headers["authorization"]);
    if (credentials !== undefined) {
      // By address and key: neighbours with the right secret are not kept out by somebody with a wrong one.
      const who = `${request.sourceIp} ${credentials.keyId}`;
      const failures = this.#failures.look(who);
      if (!failures.allowed) {
        const refusal = refuse("rate-limited", "Too many failed authentications with this key: wait, then go on.");
        return { ...refusal, headers: { ...headersOf(failures), "retry-after": String(failures.resetSeconds) } };
      }
      const caller = await authenticate(this.#plane, credentials);
      if (caller !== undefined) return caller;
      this.#failures.take(who);
    }
    const refusal = refuse(
      "unauthenticated",
      "Authenticate with HTTP Basic: the id and the secret of a cloud API key.",
    );
    return { ...refusal, headers: { "www-authenticate": 'Basic realm="balafon", charset="UTF-8"' } };
  }

  async #answerCaller(
    request: ApiRequest,
    name: RouteName,
    params: Readonly<Record<string, string>>,
    caller: Caller,
  ): Promise<ApiAnswer> {
    if (contract[name].role === "operator" && !caller.operator) {
      return refused(refuse("forbidden", "Only operators may do this."), request);
    }
    const organization = await this.#organization(request, caller);
    if (typeof organization !== "string") return refused(organization, request);
    const valid = this.#validate(request, name, params);
    if ("problems" in valid) return refused(valid, request);
    const { body, query } = valid;
    const idempotent = {
      key: request.headers[idempotencyHeader],
      caller: `${caller.keyId} ${organization}`,
      route: name,
      body,
    };
    const call: Call = {
      params: valid.params as Call["params"],
      query: query as Call["query"],
      body: body as Call["body"],
      caller,
      organization,
      baseUrl: request.baseUrl,
      url: new URL(`${request.baseUrl}${request.path}?${request.query.toString()}`),
      idFor: (make) => idForRequest(this.#plane, idempotent, make),
    };
    return this.#run(request, name, call, params["id"] ?? "");
  }

  async #run(request: ApiRequest, name: RouteName, call: Call, objectId: string): Promise<ApiAnswer> {
    // The table pairs each route with the handler of its own types; which one it is, is only known at run time.
    const handler = handlers[name] as unknown as Handler<RouteDefinition>;
    const about = { caller: call.caller, organization: call.organization, objectId };
    const entry = request.method === "GET" ? undefined : await AuditEntry.begin(this.#plane, request, about);
    try {
      const outcome = await handler(this.#plane, call);
      if ("problems" in outcome) {
        const status = statusOf(outcome);
        await entry?.end(status >= 500 ? "failed" : "refused", status);
        return refused(outcome, request);
      }
      const { status } = contract[name];
      await entry?.end("done", status, outcome.objectId);
      return { status, headers: {}, body: outcome.answer };
    } catch (error) {
      if (error instanceof IdempotencyMismatchError) {
        const refusal = refuse("unprocessable", error.message, { parameter: "Idempotency-Key" });
        await entry?.end("refused", statusOf(refusal));
        return refused(refusal, request);
      }
      // Best effort: the table may be what is away. `started` then says that it was never told how it ended.
      await entry?.end("failed", 0).catch(() => undefined);
      throw error;
    }
  }

  /** Whose objects the call is about. */
  async #organization(request: ApiRequest, caller: Caller): Promise<string | Refusal> {
    const named = request.headers[organizationHeader];
    if (named === undefined || named === caller.organization) return caller.organization;
    const source = { parameter: "Balafon-Organization" };
    if (!caller.operator) return refuse("forbidden", "Only operators act for another organization.", source);
    const known =
      /^org-[a-z0-9]{3,32}$/.test(named) && (await this.#plane.store.get(organizationKind, organizations, named));
    return known ? named : refuse("not-found", "There is no such organization.", source);
  }

  #validate(
    request: ApiRequest,
    name: RouteName,
    params: Readonly<Record<string, string>>,
  ): { readonly params: unknown; readonly query: unknown; readonly body: unknown } | Refusal {
    const key = request.headers[idempotencyHeader];
    if (key !== undefined && (!/^[!-~]+$/.test(key) || key.length > idempotencyKeyCharactersMax)) {
      const detail = `An Idempotency-Key has 1 to ${idempotencyKeyCharactersMax} characters of printable ASCII, no spaces.`;
      return refuse("invalid", detail, { parameter: "Idempotency-Key" });
    }
    const twice = [...request.query.keys()].find((parameter) => request.query.getAll(parameter).length > 1);
    if (twice !== undefined) return refuse("invalid", "This parameter is given twice.", { parameter: twice });
    const body = contract[name].body === undefined ? { value: undefined } : readBody(request);
    if ("problems" in body) return body;
    const parts = [
      validator.validate(name, "params", { ...params }),
      validator.validate(name, "query", Object.fromEntries(request.query)),
      validator.validate(name, "body", body.value),
    ] as const;
    const problems = parts.flatMap((part) => (part.kind === "invalid" ? part.problems : []));
    const [first, ...others] = problems;
    if (first !== undefined) return { problems: [first, ...others] as [Problem, ...Problem[]] };
    const [validParams, query, validBody] = parts.map((part) => (part.kind === "valid" ? part.value : undefined));
    return { params: validParams, query, body: validBody };
  }
}

function readBody({ body, headers }: ApiRequest): { readonly value: unknown } | Refusal {
  if (body === undefined || body === "") return refuse("invalid", "A body in JSON is needed.", { pointer: "" });
  if (Buffer.byteLength(body) > bodyBytesMax) {
    return refuse("too-large", `A body has ${bodyBytesMax} bytes at most.`, { pointer: "" });
  }
  const mediaType = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    return refuse("media-type", "Bodies are application/json.", { parameter: "Content-Type" });
  }
  try {
    return { value: JSON.parse(body) as unknown };
  } catch {
    return refuse("invalid", "The body is no JSON.", { pointer: "" });
  }
}

function refused(refusal: Refusal, request: ApiRequest): ApiAnswer {
  return {
    status: statusOf(refusal),
    headers: { ...refusal.headers },
    body: failureBody(refusal, request.requestId),
  };
}

function headersOf(rate: RateVerdict): Readonly<Record<string, string>> {
  return {
    "x-ratelimit-limit": String(rate.limit),
    "x-ratelimit-remaining": String(Math.max(0, rate.remaining)),
    "x-ratelimit-reset": String(rate.resetSeconds),
  };
}
