/**
 * What one client connection may do next: a pure state machine. The shell (`kafka-connection.ts`) owns the socket, hands
 * in events with the time in them, and carries out the effects in order.
 *
 *   accepted on SASL_SSL                                              accepted on the plaintext listener
 *        │                                                                         │
 *        ▼                                                                         │
 *    securing ──tls done──▶ greeting ──SaslHandshake ok──▶ handshaken              │
 *                           │   ▲ ApiVersions                  │ token             │
 *                           └───┘                              ▼                   ▼
 *                                          ┌───────────── verifying ──right──▶ serving ──┐ requests
 *                                          │ wrong                             │  ▲ └────┘
 *                                          ▼              SaslHandshake again  │  │ right, same principal
 *                                      refusing           (KIP-368)            ▼  │
 *                                          │                      handshaken ─▶ verifying
 *                                          ▼
 *   closed ◀── answer sent ────────────────┘
 *
 *   any state ── peer ended its half, or the broker stops ──▶ draining ── nothing in flight, or deadline ──▶ closed
 *   any state ── malformed bytes, request that the state does not allow, deadline, socket error ──▶ closed
 *
 * Requests run one after the other until `serving`, so no request can come while a token is verified.
 */
import type { ClientIdentity } from "../handlers/context/client-session.ts";

/** Why a connection ended; also a metric's label, so values are few and stable. */
export type CloseCause =
  | "peer-closed"
  | "socket-error"
  | "tls-failed"
  | "malformed"
  | "unsupported-request"
  | "illegal-sasl-state"
  | "unsupported-mechanism"
  | "authentication-failed"
  | "authentication-timeout"
  | "session-expired"
  | "credential-revoked"
  | "acks-zero-failed"
  | "idle"
  | "slow-reader"
  | "slow-peer"
  | "shutdown"
  | "internal-error";

export interface ConnectionRules {
  readonly authenticateMs: number;
  readonly failedAuthenticationDelayMs: number;
  /** 0: an authentication lasts as long as the connection. */
  readonly sessionLifetimeMs: number;
  readonly idleMs: number;
  readonly slowReaderMs: number;
  /** Offered SASL mechanisms. */
  readonly mechanisms: readonly string[];
}

interface Unauthenticated {
  readonly deadlineMs: number;
}

interface Exchange extends Unauthenticated {
  readonly mechanism: string;
  /** After SaslHandshake v0 tokens come as bare frames, without request headers. */
  readonly bareTokens: boolean;
  /** Who authenticated before, when this is a re-authentication. */
  readonly previous: ClientIdentity | undefined;
}

export type ConnectionState =
  | ({ readonly kind: "securing" } & Unauthenticated)
  | ({ readonly kind: "greeting" } & Unauthenticated)
  | ({ readonly kind: "handshaken" } & Exchange)
  | ({ readonly kind: "verifying" } & Exchange)
  | { readonly kind: "refusing"; readonly cause: CloseCause }
  | {
      readonly kind: "serving";
      readonly identity: ClientIdentity;
      /** When the client must have authenticated again; Infinity: never. */
      readonly expiresMs: number;
    }
  | {
      readonly kind: "draining";
      readonly identity: ClientIdentity | undefined;
      readonly deadlineMs: number;
      readonly cause: CloseCause;
    }
  | { readonly kind: "closed"; readonly cause: CloseCause };

export type ConnectionEvent =
  | { readonly kind: "tls-secured" }
  /** A request is at the head of the queue. */
  | { readonly kind: "request"; readonly apiKey: number; readonly nowMs: number; readonly credentialValid: boolean }
  /** SaslHandshake asked for a mechanism. */
  | {
      readonly kind: "mechanism-chosen";
      readonly mechanism: string;
      readonly bareTokens: boolean;
      readonly nowMs: number;
    }
  /** SaslAuthenticate, or a bare frame, brought a token. */
  | { readonly kind: "token-received" }
  | { readonly kind: "token-right"; readonly identity: ClientIdentity; readonly nowMs: number }
  | { readonly kind: "token-wrong" }
  /** The broker stops, or the peer ended its half: what is in flight may finish until the deadline. */
  | { readonly kind: "drain"; readonly cause: CloseCause; readonly deadlineMs: number }
  /** Nothing is in flight and everything was sent. */
  | { readonly kind: "settled" }
  | {
      readonly kind: "tick";
      readonly nowMs: number;
      readonly inFlight: number;
      readonly lastActivityMs: number;
      /** The key stands and its logical cluster is open; true before anybody authenticated. */
      readonly credentialValid: boolean;
      /** Since when the peer has taken none of the bytes that wait for it; undefined when none wait. */
      readonly stuckSinceMs: number | undefined;
    }
  | { readonly kind: "failed"; readonly cause: CloseCause };

/** Order contract: carried out in the order given; nothing follows `close` or `destroy`. */
export type ConnectionEffect =
  /** The request may run. */
  | { readonly kind: "serve" }
  | { readonly kind: "accept-mechanism" }
  | { readonly kind: "refuse-mechanism"; readonly error: "UNSUPPORTED_SASL_MECHANISM" | "ILLEGAL_SASL_STATE" }
  | { readonly kind: "verify-token" }
  /** The token does not fit the state; answered with ILLEGAL_SASL_STATE. */
  | { readonly kind: "refuse-token" }
  /** From here on the connection belongs to the identity; the client is told the lifetime (0: no limit). */
  | { readonly kind: "bind"; readonly identity: ClientIdentity; readonly lifetimeMs: number }
  /** Answer SASL_AUTHENTICATION_FAILED after the delay; `settled` follows. */
  | { readonly kind: "refuse-secret"; readonly delayMs: number; readonly reason: "secret" | "principal-changed" }
  | { readonly kind: "stop-reading" }
  /** Send what is ready, then close. */
  | { readonly kind: "close"; readonly cause: CloseCause }
  /** Close at once; unsent bytes are lost. */
  | { readonly kind: "destroy"; readonly cause: CloseCause };

export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

/** The three APIs that a stranger may call. */
const saslHandshakeKey = 17;
const apiVersionsKey = 18;
const saslAuthenticateKey = 36;

const nothing: readonly ConnectionEffect[] = Object.freeze([]);
const serve: readonly ConnectionEffect[] = Object.freeze([{ kind: "serve" } as const]);

export function acceptSecured(nowMs: number, rules: ConnectionRules): ConnectionState {
  return { kind: "securing", deadlineMs: nowMs + rules.authenticateMs };
}

/** The plaintext listener is bound to one logical cluster: its connections serve from the start. */
export function acceptPlaintext(identity: ClientIdentity): ConnectionState {
  return { kind: "serving", identity, expiresMs: Number.POSITIVE_INFINITY };
}

/** Whether the next frame is a SASL token without a request header. */
export function expectsBareToken(state: ConnectionState): boolean {
  return state.kind === "handshaken" && state.bareTokens;
}

/** Whether the peer has not proved who it is; then the stranger's limits apply. */
export function isStranger(state: ConnectionState): boolean {
  switch (state.kind) {
    case "securing":
    case "greeting":
    case "refusing":
      return true;
    case "handshaken":
    case "verifying":
      return state.previous === undefined;
    case "draining":
      return state.identity === undefined;
    case "serving":
    case "closed":
      return false;
  }
}

export function step(state: ConnectionState, event: ConnectionEvent, rules: ConnectionRules): Step {
  if (state.kind === "closed") return { state, effects: nothing };
  switch (event.kind) {
    case "request":
      return onRequest(state, event);
    case "tls-secured":
      return state.kind === "securing"
        ? { state: { kind: "greeting", deadlineMs: state.deadlineMs }, effects: nothing }
        : destroyed("internal-error");
    case "mechanism-chosen":
      return onMechanism(state, event, rules);
    case "token-received":
      return state.kind === "handshaken"
        ? { state: { ...state, kind: "verifying" }, effects: [{ kind: "verify-token" }] }
        : { state, effects: [{ kind: "refuse-token" }] };
    case "token-right":
      return onTokenRight(state, event, rules);
    case "token-wrong":
      return state.kind === "verifying" ? refused("secret", rules) : { state, effects: nothing };
    case "drain":
      return onDrain(state, event);
    case "settled":
      return state.kind === "draining" || state.kind === "refusing"
        ? { state: { kind: "closed", cause: state.cause }, effects: [{ kind: "close", cause: state.cause }] }
        : { state, effects: nothing };
    case "tick":
      return onTick(state, event, rules);
    case "failed":
      return destroyed(event.cause);
  }
}

function onRequest(state: ConnectionState, event: ConnectionEvent & { kind: "request" }): Step {
  switch (state.kind) {
    case "serving":
      // SASL requests may still come in time: they are how an expired session is renewed.
      if (event.nowMs >= state.expiresMs && !isSasl(event.apiKey)) return closing("session-expired");
      return event.credentialValid ? { state, effects: serve } : closing("credential-revoked");
    case "greeting":
      return event.apiKey === apiVersionsKey || event.apiKey === saslHandshakeKey
        ? { state, effects: serve }
        : destroyed("illegal-sasl-state");
    case "handshaken":
      return event.apiKey === saslAuthenticateKey && !state.bareTokens
        ? { state, effects: serve }
        : destroyed("illegal-sasl-state");
    case "draining":
      return state.identity !== undefined && event.credentialValid ? { state, effects: serve } : closing(state.cause);
    case "refusing":
      // Pipelined behind the refused token: never answered.
      return { state, effects: nothing };
    case "securing":
    case "verifying":
      return destroyed("illegal-sasl-state");
    case "closed":
      return { state, effects: nothing };
  }
}

function isSasl(apiKey: number): boolean {
  return apiKey === saslHandshakeKey || apiKey === apiVersionsKey;
}

function onMechanism(
  state: ConnectionState,
  event: ConnectionEvent & { kind: "mechanism-chosen" },
  rules: ConnectionRules,
): Step {
  const again = state.kind === "serving" && rules.sessionLifetimeMs > 0 && state.expiresMs !== Number.POSITIVE_INFINITY;
  if (state.kind !== "greeting" && !again) {
    // As Kafka: a connection that needs no authentication says so and goes on.
    return { state, effects: [{ kind: "refuse-mechanism", error: "ILLEGAL_SASL_STATE" }] };
  }
  if (!rules.mechanisms.includes(event.mechanism)) {
    return {
      state: { kind: "refusing", cause: "unsupported-mechanism" },
      effects: [{ kind: "refuse-mechanism", error: "UNSUPPORTED_SASL_MECHANISM" }, { kind: "stop-reading" }],
    };
  }
  return {
    state: {
      kind: "handshaken",
      mechanism: event.mechanism,
      bareTokens: event.bareTokens,
      previous: state.kind === "serving" ? state.identity : undefined,
      deadlineMs: state.kind === "greeting" ? state.deadlineMs : event.nowMs + rules.authenticateMs,
    },
    effects: [{ kind: "accept-mechanism" }],
  };
}

function onTokenRight(
  state: ConnectionState,
  { identity, nowMs }: ConnectionEvent & { kind: "token-right" },
  rules: ConnectionRules,
): Step {
  if (state.kind !== "verifying") return { state, effects: nothing };
  const { previous } = state;
  if (previous !== undefined && (previous.lkc !== identity.lkc || previous.principal !== identity.principal)) {
    // What the connection holds (sessions, requests under way) belongs to the first principal.
    return refused("principal-changed", rules);
  }
  const lifetimeMs = rules.sessionLifetimeMs;
  return {
    state: { kind: "serving", identity, expiresMs: lifetimeMs === 0 ? Number.POSITIVE_INFINITY : nowMs + lifetimeMs },
    effects: [{ kind: "bind", identity, lifetimeMs }],
  };
}

function onDrain(state: ConnectionState, event: ConnectionEvent & { kind: "drain" }): Step {
  switch (state.kind) {
    case "draining":
      return { state: { ...state, deadlineMs: Math.min(state.deadlineMs, event.deadlineMs) }, effects: nothing };
    case "serving":
      return {
        state: {
          kind: "draining",
          identity: state.identity,
          deadlineMs: event.deadlineMs,
          cause: event.cause,
        },
        effects: [{ kind: "stop-reading" }],
      };
    case "securing":
    case "greeting":
    case "handshaken":
    case "verifying":
    case "refusing":
    case "closed":
      // Nothing of worth is in flight before authentication.
      return destroyed(event.cause);
  }
}

function onTick(state: ConnectionState, event: ConnectionEvent & { kind: "tick" }, rules: ConnectionRules): Step {
  const { nowMs, stuckSinceMs } = event;
  if (stuckSinceMs !== undefined && nowMs - stuckSinceMs >= rules.slowReaderMs) return destroyed("slow-reader");
  switch (state.kind) {
    case "securing":
    case "greeting":
    case "handshaken":
    case "verifying":
      return nowMs >= state.deadlineMs ? destroyed("authentication-timeout") : { state, effects: nothing };
    case "draining":
      return nowMs >= state.deadlineMs ? destroyed(state.cause) : { state, effects: nothing };
    case "serving":
      if (!event.credentialValid) return closing("credential-revoked");
      return event.inFlight === 0 && nowMs - event.lastActivityMs >= rules.idleMs
        ? closing("idle")
        : { state, effects: nothing };
    case "refusing":
    case "closed":
      return { state, effects: nothing };
  }
}

function refused(reason: "secret" | "principal-changed", rules: ConnectionRules): Step {
  return {
    state: { kind: "refusing", cause: "authentication-failed" },
    effects: [{ kind: "stop-reading" }, { kind: "refuse-secret", delayMs: rules.failedAuthenticationDelayMs, reason }],
  };
}

function closing(cause: CloseCause): Step {
  return { state: { kind: "closed", cause }, effects: [{ kind: "close", cause }] };
}

function destroyed(cause: CloseCause): Step {
  return { state: { kind: "closed", cause }, effects: [{ kind: "destroy", cause }] };
}
