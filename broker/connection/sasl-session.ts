import type { ErrorName } from "../../shared/kafka/error-codes.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { ClientIdentity, SaslExchange, SaslOutcome } from "../handlers/context/client-session.ts";
import type { ConnectionEffect, ConnectionEvent } from "./connection-core.ts";

/** What the exchange needs of its connection. */
export interface SaslOwner {
  /** Steps the connection's state machine and returns the effects that are not the connection's own to carry out. */
  step(event: ConnectionEvent): readonly ConnectionEffect[];
  /** Who sent the token; undefined when it is wrong. */
  authenticate(token: Buffer): Promise<ClientIdentity | undefined>;
  readonly mechanisms: readonly string[];
  readonly clock: Clock;
  readonly timers: Timers;
  onRefused(): void;
}

const refusedMessage = "Authentication failed: invalid credentials";
const principalMessage = "Authentication failed: a connection cannot change its principal";
const stateMessage = "The token does not fit the state of the authentication";

/** The SASL exchange of one connection, between the handlers and the connection's state machine. */
export class SaslSession implements SaslExchange {
  readonly #owner: SaslOwner;

  constructor(owner: SaslOwner) {
    this.#owner = owner;
  }

  get mechanisms(): readonly string[] {
    return this.#owner.mechanisms;
  }

  choose(mechanism: string, bareTokens: boolean): ErrorName {
    const nowMs = this.#owner.clock.monotonicMs();
    const effects = this.#owner.step({ kind: "mechanism-chosen", mechanism, bareTokens, nowMs });
    const refusal = effects.find((effect) => effect.kind === "refuse-mechanism");
    return refusal === undefined ? "NONE" : refusal.error;
  }

  async authenticate(token: Buffer): Promise<SaslOutcome> {
    const verifies = this.#owner.step({ kind: "token-received" }).some(({ kind }) => kind === "verify-token");
    if (!verifies) return { error: "ILLEGAL_SASL_STATE", message: stateMessage, lifetimeMs: 0 };
    const identity = await this.#owner.authenticate(token);
    const nowMs = this.#owner.clock.monotonicMs();
    const effects = this.#owner.step(
      identity === undefined ? { kind: "token-wrong" } : { kind: "token-right", identity, nowMs },
    );
    for (const effect of effects) {
      if (effect.kind === "bind") return { error: "NONE", message: null, lifetimeMs: effect.lifetimeMs };
      if (effect.kind === "refuse-secret") return this.#refuse(effect);
    }
    // The connection ended meanwhile: nobody reads this.
    return { error: "ILLEGAL_SASL_STATE", message: stateMessage, lifetimeMs: 0 };
  }

  async #refuse({ delayMs, reason }: ConnectionEffect & { readonly kind: "refuse-secret" }): Promise<SaslOutcome> {
    this.#owner.onRefused();
    await new Promise<void>((resolve) => {
      this.#owner.timers.after(delayMs, resolve);
    });
    const message = reason === "secret" ? refusedMessage : principalMessage;
    return { error: "SASL_AUTHENTICATION_FAILED", message, lifetimeMs: 0 };
  }
}
