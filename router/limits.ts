/** Limits of a router. Times in milliseconds, sizes in bytes. What is in `RouterLimits` can be set in its configuration. */
import { strict as assert } from "node:assert";

/**
 * Longest ClientHello with its records' headers. Browsers and Kafka clients send 0.2 to 2 KiB, with post-quantum key
 * shares up to 4 KiB; a large session ticket is added to that.
 */
export const clientHelloBytesMax = 16_384;

/** From a socket's accept to a whole ClientHello, the PROXY header included. */
export const clientHelloMs = 10_000;

/** Brokers tried one after the other for a name that any of them can serve. */
export const connectAttemptsMax = 3;

/** A broker that does not take a connection within this is tried no longer. Its kernel answers, so this is the network's time. */
export const connectMs = 3_000;

/** Both sides of every connection ask the other kernel so often: the load balancer forgets idle flows after 350 s. */
export const keepAliveMs = 60_000;

/** What all quiet sockets read into, one after the other; most requests and answers fit, and are copied out of it. */
export const quietReadBytes = 8_192;

/**
 * What a busy socket reads into at once. At most two such are held for each direction of a connection: one that is read
 * into, and one that the other side has not taken yet.
 */
export const readBytes = 131_072;

/** Borrowed buffers (`readBytes`) up to which they are kept between bursts. */
export const keptBuffersMax = 32;

/** Buffers given back that are kept for the next who asks. */
export const freeBuffersMax = 64;

/** A side that ended without sending anything more lets the other one finish for so long. */
export const halfClosedMs = 30_000;

/** An alert or refusal is given so long to leave before the socket is cut. */
export const refusalMs = 1_000;

/** Connections that the operating system holds before they are accepted (the listen backlog). */
export const backlogConnectionsMax = 4_096;

/** Between two looks at a broker's health. */
export const probeMs = 400;

/** An answer to a look comes within a round trip; a process that is stopped or stuck gives none. */
export const probeAnswerMs = 300;

/** The time that a round of looks takes at least, by broker: a router of a large fleet makes no more than 500 looks a second. */
export const probeSpacingMs = 2;

/** Looks in a row without an answer before a broker gets no new connections. */
export const missesUntilDoubted = 2;

/** Looks in a row without an answer until a broker that leads nothing any more, so that its cell holds it for dead, is cut off. */
export const missesUntilCut = 3;

/** The same whatever the log says: partitions without other replicas stay with a dead leader. */
export const missesUntilCutAnyway = 25;

/** A name that no log knows is looked for in the tables once more, but all such names together no more often than this. */
export const unknownNameRefreshMs = 250;

/** A look at a log outside its turn is waited for so long: the store answers within that, or is away. */
export const refreshWaitMs = 700;

/** Connections that wait for such a look. */
export const unknownNameWaitersMax = 1_000;

/** A log that could not be loaded at the start is tried again after this. */
export const loadRetryMs = 1_000;

/** Addresses and clusters whose rate is remembered; when there are more, those with the fullest allowance are forgotten. */
export const rateTableMax = 65_536;

/** Cells that one router reads. */
export const cellsMax = 200;

/** Connections by one cause and table that may be open, and that may come each second. All before authentication. */
export interface RouterLimits {
  /** Open connections. */
  readonly connectionsMax: number;
  /** Of them, those that have not shown a whole ClientHello. */
  readonly strangersMax: number;
  /** Open connections of one address (IPv6: of one /64 network). */
  readonly connectionsPerAddressMax: number;
  /** New connections of one address a second, on average; twice as many may come at once. */
  readonly newPerSecondPerAddressMax: number;
  /** Open connections that name one logical cluster. */
  readonly connectionsPerClusterMax: number;
  /** New connections that name one logical cluster a second, on average; twice as many may come at once. */
  readonly newPerSecondPerClusterMax: number;
}

export const routerLimits: RouterLimits = {
  connectionsMax: 20_000,
  strangersMax: 4_096,
  connectionsPerAddressMax: 5_000,
  newPerSecondPerAddressMax: 200,
  connectionsPerClusterMax: 10_000,
  newPerSecondPerClusterMax: 500,
};

/** Relations that the code relies on. */
export function assertRouterLimits(limits: RouterLimits): void {
  assert(limits.strangersMax <= limits.connectionsMax, "strangers are connections");
  assert(missesUntilDoubted <= missesUntilCut && missesUntilCut < missesUntilCutAnyway, "doubt comes before the cut");
  assert(
    limits.connectionsPerAddressMax >= 1 && limits.connectionsPerClusterMax >= 1,
    "one connection must be possible",
  );
}
