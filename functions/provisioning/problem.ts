/** Why a call is refused. The one map from what went wrong to HTTP; the body is the published API's. */
import type { FailureView } from "./contract/schemas.ts";

const problems = {
  invalid: { status: 400, code: "bad_request", title: "Bad Request" },
  "not-offered": { status: 400, code: "not_offered", title: "Not Offered" },
  unauthenticated: { status: 401, code: "unauthorized", title: "Unauthorized" },
  "limit-reached": { status: 402, code: "limit_reached", title: "Limit Reached" },
  forbidden: { status: 403, code: "forbidden", title: "Forbidden" },
  "not-found": { status: 404, code: "resource_not_found", title: "Not Found" },
  "method-not-allowed": { status: 405, code: "method_not_allowed", title: "Method Not Allowed" },
  conflict: { status: 409, code: "conflict", title: "Conflict" },
  "too-large": { status: 413, code: "content_too_large", title: "Content Too Large" },
  "media-type": { status: 415, code: "unsupported_media_type", title: "Unsupported Media Type" },
  unprocessable: { status: 422, code: "unprocessable_content", title: "Unprocessable Content" },
  "rate-limited": { status: 429, code: "rate_limited", title: "Too Many Requests" },
  internal: { status: 500, code: "internal_error", title: "Internal Server Error" },
  unavailable: { status: 503, code: "service_unavailable", title: "Service Unavailable" },
} as const;

export type ProblemKind = keyof typeof problems;

export interface ProblemSource {
  /** JSON pointer to the field of the body. */
  readonly pointer?: string;
  /** Of the path, the query or the headers. */
  readonly parameter?: string;
}

export interface Problem {
  readonly kind: ProblemKind;
  readonly detail: string;
  readonly source?: ProblemSource;
}

/** What a handler returns instead of an answer. */
export interface Refusal {
  readonly problems: readonly [Problem, ...Problem[]];
  readonly headers?: Readonly<Record<string, string>>;
}

export function refuse(kind: ProblemKind, detail: string, source?: ProblemSource): Refusal {
  return { problems: [source === undefined ? { kind, detail } : { kind, detail, source }] };
}

export function statusOf({ problems: [first] }: Refusal): number {
  return problems[first.kind].status;
}

export function failureBody({ problems: all }: Refusal, requestId: string): FailureView {
  return {
    errors: all.map(({ kind, detail, source }) => {
      const { status, code, title } = problems[kind];
      const error = { id: requestId, status: String(status), code, title, detail };
      return source === undefined ? error : { ...error, source };
    }),
  };
}
