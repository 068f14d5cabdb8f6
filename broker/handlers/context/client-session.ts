import type { ErrorName } from "../../../shared/kafka/error-codes.ts";
import type { LogicalClusterId } from "../../../shared/metadata/records/record.ts";
import type { Obstacle } from "../../log/obstacle.ts";
import type { TenantMeters } from "./tenant-meters.ts";
import type { TenantView } from "./tenant-view.ts";

/** Whom a connection belongs to, once it has authenticated (or came through a listener bound to a logical cluster). */
export interface ClientIdentity {
  readonly lkc: LogicalClusterId;
  readonly principal: string;
  /** The API key that proved it; undefined on a listener without authentication. */
  readonly keyId: string | undefined;
}

/** Stops a notification; calling it again does nothing. */
export type Withdraw = () => void;

/** What a handler may know of the connection whose request it serves. It never sees a socket. */
export interface ClientSession {
  /** Name of the listener through which the client came: whose endpoints it is told. */
  readonly listener: string;
  /** Where the client connects from, as Kafka shows it: `/192.0.2.7`. */
  readonly clientHost: string;
  /** All that this client may see. Sees nothing until the client has authenticated. */
  readonly tenant: TenantView;
  readonly meters: TenantMeters;
  readonly sasl: SaslExchange;
  /** Monotonic time when the metadata log was last looked at for this client, and had nothing of what it named. */
  lookedInVainMs: number;
  /** What was in the way of a request of this client for so long that it was refused; undefined: nothing so far. */
  gaveUpOn: WeakSet<Obstacle> | undefined;
  /** Bytes of records that a response should not exceed now; shrinks as the broker's memory fills up. Never below 0. */
  responseBytesAllowed(): number;
  /** Calls once when the connection ended or wants to end: whoever waits for something should answer with what it has. */
  whenEnding(run: () => void): Withdraw;
}

/** The SASL side of a connection; its state machine decides what is allowed (broker/connection/connection-core.ts). */
export interface SaslExchange {
  /** Offered mechanisms, by Kafka's names. */
  readonly mechanisms: readonly string[];
  /** After `bareTokens` (SaslHandshake v0) tokens come without request headers. */
  choose(mechanism: string, bareTokens: boolean): ErrorName;
  /** Checks a client's token. Takes long on purpose when it was wrong. */
  authenticate(token: Buffer): Promise<SaslOutcome>;
}

export interface SaslOutcome {
  readonly error: ErrorName;
  /** Shown to the client; says nothing about which part was wrong. */
  readonly message: string | null;
  /** The client must authenticate again within this time (KIP-368); 0: never. */
  readonly lifetimeMs: number;
}
