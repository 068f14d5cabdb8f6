import type { AnswerOf, BodyOf, ParamsOf, QueryOf, RouteDefinition } from "./contract/route.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Refusal } from "./problem.ts";

/** Who calls, as a cloud key proved it. */
export interface Caller {
  readonly keyId: string;
  readonly organization: string;
  readonly operator: boolean;
  /** The service account that the key acts for. */
  readonly owner: string;
}

/** A call that was authenticated, allowed and validated. */
export interface Call<R extends RouteDefinition = RouteDefinition> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly caller: Caller;
  /** Whose objects it is about: the caller's, or the one that an operator named. */
  readonly organization: string;
  /** `https://api.example.com`: what answers' addresses begin with. */
  readonly baseUrl: string;
  /** As it was asked for, path and query: what a list's first page is named by. */
  readonly url: URL;
  /** Makes the id of what a POST makes, or finds the one of the same call before. */
  readonly idFor: (make: () => string) => Promise<NewId>;
}

export interface NewId {
  readonly id: string;
  /** The call was sent before, and began with this id. */
  readonly again: boolean;
}

export type Outcome<R extends RouteDefinition> =
  | { readonly answer: AnswerOf<R> /** For the audit log. */; readonly objectId?: string }
  | Refusal;

export type Handler<R extends RouteDefinition> = (plane: ControlPlane, call: Call<R>) => Promise<Outcome<R>>;
