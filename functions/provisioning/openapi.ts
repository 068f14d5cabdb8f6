/** The OpenAPI 3.1 document of the API, made from the route table. */
import type { TObject, TSchema } from "@sinclair/typebox";
import { contract } from "./contract/contract.ts";
import type { RouteDefinition } from "./contract/route.ts";
import * as schemas from "./contract/schemas.ts";
import { idempotencyKeyCharactersMax } from "./limits.ts";

type Json = Readonly<Record<string, unknown>>;

/** Every answer of a call beside its own. */
const failures: Readonly<Record<number, string>> = {
  400: "Something of the request is not well formed, or not offered; each error names the field or the parameter.",
  401: "The credentials are missing, wrong, revoked or expired.",
  402: "A limit is reached.",
  403: "The caller may not do this.",
  404: "There is no such object, or it belongs to somebody else.",
  409: "It contradicts what is there, such as a name that is taken.",
  413: "The body is too large.",
  415: "The body is not application/json.",
  422: "It is well formed and means nothing here: a page token of another list, an `Idempotency-Key` that was used with another body, a tenant's key without its owner.",
  429: "Too many requests; `Retry-After` says how many seconds to wait.",
  500: "Something is broken.",
  503: "The service cannot do this now; `Retry-After` says how many seconds to wait.",
};

const rateHeaders = {
  "X-RateLimit-Limit": { description: "Requests that may be made at once.", schema: { type: "integer" } },
  "X-RateLimit-Remaining": { description: "Of them, how many now.", schema: { type: "integer" } },
  "X-RateLimit-Reset": { description: "Seconds until all of them may be made again.", schema: { type: "integer" } },
};

export function openapiDocument(): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(contract)) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, unknown>)[route.method.toLowerCase()] = operationOf(name, route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Balafon provisioning API",
      version: "1",
      description:
        "Logical clusters, API keys, service accounts and environments. Authenticate with HTTP Basic: the id and the secret of a cloud API key.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:9080", description: "npm start" }],
    security: [{ cloudApiKey: [] }],
    tags: [...new Set(Object.values(contract).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { cloudApiKey: { type: "http", scheme: "basic" } },
      schemas: Object.fromEntries(components.map(([name, schema]) => [name, body(schema)])),
      responses: Object.fromEntries(
        Object.keys(failures).map((status) => [`Failure${status}`, failureOf(Number(status))]),
      ),
      parameters: {
        organization: {
          name: "Balafon-Organization",
          in: "header",
          required: false,
          description: "For operators: whose objects the call is about. Left out: their own.",
          schema: { type: "string", pattern: "^org-[a-z0-9]{3,32}$" },
        },
        idempotencyKey: {
          name: "Idempotency-Key",
          in: "header",
          required: false,
          description:
            "The same request with the same key, within ten minutes, finds what the first one made; a secret is not told again.",
          schema: { type: "string", minLength: 1, maxLength: idempotencyKeyCharactersMax, pattern: "^[!-~]+$" },
        },
      },
    },
  };
}

function operationOf(name: string, route: RouteDefinition): Json {
  const own = route.answer === undefined ? {} : { content: { "application/json": { schema: plain(route.answer) } } };
  const codes = [400, 401, 403, 404, ...route.errors, ...(route.body === undefined ? [] : [413, 415])];
  const all = [
    ...codes,
    ...(route.method === "POST" || "page_token" in (route.query as TObject).properties ? [422] : []),
    429,
    500,
    503,
  ].toSorted((a, b) => a - b);
  return {
    operationId: name,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: [
      ...parametersOf(route.params, "path"),
      ...parametersOf(route.query, "query"),
      { $ref: "#/components/parameters/organization" },
      ...(route.method === "POST" ? [{ $ref: "#/components/parameters/idempotencyKey" }] : []),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: plain(route.body) } } } }),
    responses: {
      [String(route.status)]: { description: "Done.", headers: rateHeaders, ...own, ...linksOf(route) },
      ...Object.fromEntries(all.map((status) => [String(status), { $ref: `#/components/responses/Failure${status}` }])),
    },
  };
}

/** From the answer that makes an object to the calls that take its id. */
function linksOf(route: RouteDefinition): Json {
  if (route.method !== "POST" || route.answer === undefined) return {};
  const links = Object.entries(contract as Readonly<Record<string, RouteDefinition>>)
    .filter(([, other]) => other.path === `${route.path}/{id}`)
    .map(([operationId, other]) => [
      operationId,
      {
        operationId,
        parameters: {
          id: "$response.body#/id",
          ...("environment" in (other.query as TObject).properties
            ? { environment: "$response.body#/spec/environment/id" }
            : {}),
        },
      },
    ]);
  return links.length === 0 ? {} : { links: Object.fromEntries(links) };
}

function failureOf(status: number): Json {
  const retry = status === 429 || status === 503 ? { headers: { "Retry-After": { schema: { type: "integer" } } } } : {};
  return {
    description: failures[status] ?? "",
    ...retry,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
  };
}

function parametersOf(schema: TSchema, place: "path" | "query"): readonly Json[] {
  const { properties, required = [] } = schema as TObject;
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = plain(property);
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** Schemas that have a name of their own in the document. */
const components: readonly (readonly [string, TSchema])[] = [
  ["Cluster", schemas.cluster],
  ["ApiKey", schemas.apiKey],
  ["ServiceAccount", schemas.serviceAccount],
  ["Environment", schemas.environment],
  ["Organization", schemas.organization],
  ["AuditEntry", schemas.auditEntry],
  ["Cell", schemas.cell],
  ["Failure", schemas.failure],
];

/** The schema as JSON, with those that have a name referred to. */
function plain(schema: TSchema): Json {
  const named = components.find(([, component]) => component === schema);
  return named === undefined ? body(schema) : { $ref: `#/components/schemas/${named[0]}` };
}

/** What the library keeps beside it, under symbols, is no part of it. */
function body(schema: TSchema): Json {
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, inner(value)]));
}

function inner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inner);
  return typeof value === "object" && value !== null ? plain(value as TSchema) : value;
}
