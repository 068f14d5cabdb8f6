import { describe, expect, test } from "vitest";
import {
  acceptPlaintext,
  acceptSecured,
  type ConnectionEvent,
  type ConnectionRules,
  type ConnectionState,
  expectsBareToken,
  isStranger,
  step,
} from "../../../../broker/connection/connection-core.ts";

const rules: ConnectionRules = {
  authenticateMs: 10_000,
  failedAuthenticationDelayMs: 100,
  sessionLifetimeMs: 0,
  idleMs: 600_000,
  slowReaderMs: 30_000,
  mechanisms: ["PLAIN"],
};
const renewing: ConnectionRules = { ...rules, sessionLifetimeMs: 60_000 };
const alice = { lkc: "lkc-aaaaa", principal: "User:alice", keyId: "KEY" };
const bob = { lkc: "lkc-aaaaa", principal: "User:bob", keyId: "OTHER" };

const keys = { produce: 0, metadata: 3, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 };
const secured: ConnectionEvent = { kind: "tls-secured" };
const request = (apiKey: number, nowMs = 0): ConnectionEvent => ({
  kind: "request",
  apiKey,
  nowMs,
  credentialValid: true,
});
const choose = (mechanism = "PLAIN", bareTokens = false): ConnectionEvent => ({
  kind: "mechanism-chosen",
  mechanism,
  bareTokens,
  nowMs: 0,
});
const token: ConnectionEvent = { kind: "token-received" };
const right = (identity = alice, nowMs = 0): ConnectionEvent => ({ kind: "token-right", identity, nowMs });
const tick = (fields: Partial<ConnectionEvent & { kind: "tick" }> = {}): ConnectionEvent => ({
  kind: "tick",
  nowMs: 0,
  inFlight: 0,
  lastActivityMs: 0,
  credentialValid: true,
  stuckSinceMs: undefined,
  ...fields,
});
const drain: ConnectionEvent = { kind: "drain", cause: "shutdown", deadlineMs: 50 };

/** The state after these events, and the effects of the last of them. */
function after(events: readonly ConnectionEvent[], by: ConnectionRules = rules, from?: ConnectionState) {
  let state = from ?? acceptSecured(0, by);
  let effects: readonly string[] = [];
  for (const event of events) {
    const stepped = step(state, event, by);
    state = stepped.state;
    effects = stepped.effects.map((effect) => ("cause" in effect ? `${effect.kind} ${effect.cause}` : effect.kind));
  }
  return { state, kind: state.kind, effects };
}

const handshaken = [secured, choose()];
const verifying = [...handshaken, token];
const serving = [...verifying, right()];

describe("authentication", () => {
  const cases: readonly [string, readonly ConnectionEvent[], string, readonly string[]][] = [
    ["ApiVersions may be asked first", [secured, request(keys.apiVersions)], "greeting", ["serve"]],
    ["and again", [secured, request(keys.apiVersions), request(keys.apiVersions)], "greeting", ["serve"]],
    ["SaslHandshake is served", [secured, request(keys.saslHandshake)], "greeting", ["serve"]],
    ["Metadata is not", [secured, request(keys.metadata)], "closed", ["destroy illegal-sasl-state"]],
    [
      "nor a token before the handshake",
      [secured, request(keys.saslAuthenticate)],
      "closed",
      ["destroy illegal-sasl-state"],
    ],
    ["a mechanism on offer", handshaken, "handshaken", ["accept-mechanism"]],
    ["one that is not", [secured, choose("GSSAPI")], "refusing", ["refuse-mechanism", "stop-reading"]],
    [
      "after the handshake only a token",
      [...handshaken, request(keys.apiVersions)],
      "closed",
      ["destroy illegal-sasl-state"],
    ],
    ["a token is served", [...handshaken, request(keys.saslAuthenticate)], "handshaken", ["serve"]],
    ["a token is checked", verifying, "verifying", ["verify-token"]],
    ["the right one binds the connection", serving, "serving", ["bind"]],
    [
      "the wrong one ends it, later",
      [...verifying, { kind: "token-wrong" }],
      "refusing",
      ["stop-reading", "refuse-secret"],
    ],
    [
      "what is pipelined behind it is dropped",
      [...verifying, { kind: "token-wrong" }, request(keys.metadata)],
      "refusing",
      [],
    ],
    [
      "once answered it closes",
      [...verifying, { kind: "token-wrong" }, { kind: "settled" }],
      "closed",
      ["close authentication-failed"],
    ],
    ["a token out of turn", [...serving, token], "serving", ["refuse-token"]],
    ["a verdict out of turn changes nothing", [secured, right()], "greeting", []],
  ];

  test.each(cases)("%s", (_name, events, kind, effects) => {
    expect(after(events)).toMatchObject({ kind, effects });
  });

  test("bare tokens come without headers only after SaslHandshake v0", () => {
    expect(expectsBareToken(after([secured, choose("PLAIN", true)]).state)).toBe(true);
    expect(after([secured, choose("PLAIN", true), request(keys.saslAuthenticate)]).kind).toBe("closed");
    expect(expectsBareToken(after(handshaken).state)).toBe(false);
    expect(expectsBareToken(after(serving).state)).toBe(false);
  });

  test("nobody but the authenticated is more than a stranger", () => {
    const strangers = [[], [secured], handshaken, verifying, [...verifying, { kind: "token-wrong" } as const]];
    for (const events of strangers) expect(isStranger(after(events).state)).toBe(true);
    expect(isStranger(after(serving).state)).toBe(false);
    expect(isStranger(after([...serving, drain]).state)).toBe(false);
  });

  test("takes no longer than allowed, whatever it was doing", () => {
    for (const events of [[], [secured], handshaken, verifying]) {
      expect(after([...events, tick({ nowMs: 9_999 })]).kind).not.toBe("closed");
      expect(after([...events, tick({ nowMs: 10_000 })]).effects).toEqual(["destroy authentication-timeout"]);
    }
  });
});

describe("authentication again (KIP-368)", () => {
  test("renews the session of the same principal", () => {
    const renewed = after([...serving, choose(), token, right(alice, 50_000)], renewing);
    expect(renewed).toMatchObject({ kind: "serving", effects: ["bind"], state: { expiresMs: 110_000 } });
  });

  test("never changes the principal", () => {
    expect(after([...serving, choose(), token, right(bob)], renewing)).toMatchObject({
      kind: "refusing",
      effects: ["stop-reading", "refuse-secret"],
    });
  });

  test("must come before the session ends", () => {
    expect(after([...serving, request(keys.produce, 59_999)], renewing).effects).toEqual(["serve"]);
    expect(after([...serving, request(keys.produce, 60_000)], renewing).effects).toEqual(["close session-expired"]);
    expect(after([...serving, request(keys.saslHandshake, 60_000)], renewing).effects).toEqual(["serve"]);
  });

  test("is refused where sessions do not end, and the connection goes on", () => {
    expect(after([...serving, choose()])).toMatchObject({ kind: "serving", effects: ["refuse-mechanism"] });
    expect(after([choose()], renewing, acceptPlaintext(alice))).toMatchObject({
      kind: "serving",
      effects: ["refuse-mechanism"],
    });
  });

  test("serves nothing else meanwhile", () => {
    expect(after([...serving, choose(), request(keys.produce)], renewing).effects).toEqual([
      "destroy illegal-sasl-state",
    ]);
  });
});

describe("serving", () => {
  test("the plaintext listener serves from the start", () => {
    expect(after([request(keys.produce)], rules, acceptPlaintext(alice))).toMatchObject({
      kind: "serving",
      effects: ["serve"],
    });
  });

  test("a key that was deleted serves no more", () => {
    const revoked: ConnectionEvent = { kind: "request", apiKey: keys.produce, nowMs: 0, credentialValid: false };
    expect(after([...serving, revoked]).effects).toEqual(["close credential-revoked"]);
    // A consumer that waits, or a producer that has nothing to send, is cut off by the sweep.
    expect(after([...serving, tick({ credentialValid: false, inFlight: 1 })]).effects).toEqual([
      "close credential-revoked",
    ]);
  });

  test("an idle connection closes, one with a request in flight does not", () => {
    expect(after([...serving, tick({ nowMs: 600_000 })]).effects).toEqual(["close idle"]);
    expect(after([...serving, tick({ nowMs: 600_000, inFlight: 1 })]).kind).toBe("serving");
    expect(after([...serving, tick({ nowMs: 600_000, lastActivityMs: 1 })]).kind).toBe("serving");
  });

  test("a peer that takes nothing of what waits for it is cut off", () => {
    const stuck = (nowMs: number) => tick({ nowMs, stuckSinceMs: 1_000, inFlight: 1 });
    expect(after([...serving, stuck(30_999)]).kind).toBe("serving");
    expect(after([...serving, stuck(31_000)]).effects).toEqual(["destroy slow-reader"]);
  });
});

describe("the end", () => {
  test("what is in flight may finish, nothing is read any more", () => {
    expect(after([...serving, drain]).effects).toEqual(["stop-reading"]);
    expect(after([...serving, drain, request(keys.produce)]).effects).toEqual(["serve"]);
    expect(after([...serving, drain, { kind: "settled" }]).effects).toEqual(["close shutdown"]);
  });

  test("but no longer than the deadline, of which the earliest counts", () => {
    expect(after([...serving, drain, tick({ nowMs: 49 })]).kind).toBe("draining");
    expect(after([...serving, drain, tick({ nowMs: 50 })]).effects).toEqual(["destroy shutdown"]);
    const sooner: ConnectionEvent = { kind: "drain", cause: "peer-closed", deadlineMs: 20 };
    expect(after([...serving, drain, sooner, tick({ nowMs: 20 })]).kind).toBe("closed");
  });

  test("a stranger is not waited for", () => {
    for (const events of [[], [secured], handshaken, verifying]) {
      expect(after([...events, drain]).effects).toEqual(["destroy shutdown"]);
    }
  });

  test("is final", () => {
    const everything = [secured, request(0), choose(), token, right(), drain, tick(), { kind: "settled" } as const];
    for (const event of everything) {
      const closed = after([...serving, { kind: "failed", cause: "malformed" }, event]);
      expect(closed).toMatchObject({ state: { kind: "closed", cause: "malformed" }, effects: [] });
    }
  });

  test("settling means nothing to a connection that serves", () => {
    expect(after([...serving, { kind: "settled" }])).toMatchObject({ kind: "serving", effects: [] });
  });
});
