import type { Static, TSchema } from "@sinclair/typebox";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** Who may call: operators may everything. */
export type Role = "operator" | "administrator";

/** One call of the API: all that the validator, the document, the client and API Gateway need to know of it. */
export interface RouteDefinition<
  Params extends TSchema = TSchema,
  Query extends TSchema = TSchema,
  Body extends TSchema | undefined = TSchema | undefined,
  Answer extends TSchema | undefined = TSchema | undefined,
> {
  readonly method: Method;
  /** `/iam/v2/api-keys/{id}`, with names as in `params`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may call it. */
  readonly role: Role;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly status: 200 | 201 | 202 | 204;
  readonly answer: Answer;
  /** Beside those that every call may end with (400, 401, 403, 404, 429, 500, 503). */
  readonly errors: readonly (402 | 409)[];
}

/** Keeps the types of the schemas. */
export function route<
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema | undefined,
  Answer extends TSchema | undefined,
>(definition: RouteDefinition<Params, Query, Body, Answer>): RouteDefinition<Params, Query, Body, Answer> {
  return definition;
}

export type ParamsOf<R extends RouteDefinition> = Static<R["params"]>;
export type QueryOf<R extends RouteDefinition> = Static<R["query"]>;
export type BodyOf<R extends RouteDefinition> = R["body"] extends TSchema ? Static<R["body"]> : undefined;
export type AnswerOf<R extends RouteDefinition> = R["answer"] extends TSchema ? Static<R["answer"]> : undefined;
