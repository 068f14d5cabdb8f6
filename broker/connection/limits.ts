import { strict as assert } from "node:assert";
import type { AdmissionLimits } from "../admission/limits.ts";

/**
 * Bounds of the listeners and of each connection. Milliseconds and bytes.
 *
 * A stranger (a peer that has not authenticated) can make the broker hold at most one connection of
 * `strangersPerListenerMax`, a frame of `strangerFrameBytesMax`, for `authenticateMs`.
 */
export interface ConnectionLimits {
  /** From accept to the end of authentication, TLS handshake included. */
  readonly authenticateMs: number;
  /** A wrong secret is answered after this time, so that guessing is slow (connection.failed.authentication.delay.ms). */
  readonly failedAuthenticationDelayMs: number;
  /** How long an authentication lasts before the client must repeat it (connections.max.reauth.ms); 0: for ever. */
  readonly sessionLifetimeMs: number;

  /** Open connections of one listener; the next one is closed at once. */
  readonly connectionsPerListenerMax: number;
  /** Of them, those from one address. */
  readonly connectionsPerAddressMax: number;
  /** Of them, those that have not authenticated yet. */
  readonly strangersPerListenerMax: number;

  /** Longest request of an authenticated client (socket.request.max.bytes). */
  readonly requestBytesMax: number;
  /** Longest request before authentication: enough for any SASL token. */
  readonly strangerFrameBytesMax: number;
  /** Requests read and not yet answered; with so many the socket is not read. Several times what clients pipeline. */
  readonly inFlightRequestsMax: number;
  /** Response bytes that the peer has not taken; above it nothing more is read from it or begun for it. */
  readonly unsentBytesMax: number;
  /** A peer that takes no byte of what waits for it for so long is closed. */
  readonly slowReaderMs: number;
  /** No request and none in flight for so long: closed (connections.max.idle.ms). */
  readonly idleMs: number;
  /** A peer that closed its half gets what it still waits for, for at most this long. */
  readonly lingerMs: number;
  /** How often deadlines are looked at. */
  readonly sweepMs: number;
  /** Connections that the operating system holds before they are accepted (the listen backlog). */
  readonly backlogConnectionsMax: number;
}

export const connectionLimits: ConnectionLimits = {
  authenticateMs: 10_000,
  failedAuthenticationDelayMs: 100,
  sessionLifetimeMs: 0,
  connectionsPerListenerMax: 20_000,
  connectionsPerAddressMax: 10_000,
  strangersPerListenerMax: 4_096,
  requestBytesMax: 104_857_600,
  strangerFrameBytesMax: 524_288,
  inFlightRequestsMax: 128,
  unsentBytesMax: 1_048_576,
  slowReaderMs: 30_000,
  idleMs: 600_000,
  lingerMs: 5_000,
  sweepMs: 500,
  backlogConnectionsMax: 1_024,
};

/** Between two looks whether a listener's certificate was renewed. */
export const certificateCheckMs = 60_000;

/** Relations that the code relies on. */
export function assertConnectionLimits(limits: ConnectionLimits, admission: AdmissionLimits): void {
  assert(
    limits.requestBytesMax <= admission.memoryBytesMax - admission.modestMemoryBytes,
    "the largest request must fit the memory for requests",
  );
  assert(
    limits.strangerFrameBytesMax <= admission.strangerMemoryBytesMax,
    "a stranger's largest request must fit the memory for strangers",
  );
  assert(limits.strangerFrameBytesMax <= limits.requestBytesMax, "strangers may not send more than tenants");
  assert(limits.inFlightRequestsMax >= 1, "one request must be possible");
  assert(limits.sweepMs < limits.authenticateMs && limits.sweepMs < limits.idleMs, "deadlines are met by the sweep");
}
