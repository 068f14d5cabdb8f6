import type { LookupFunction } from "node:net";

/** What these tests need of a Kafka client; one implementation for each library. */
export interface ConnectionSettings {
  /** `host:port`. */
  readonly bootstrap: readonly string[];
  /** Undefined: plaintext. */
  readonly secure?: {
    /** PEM of the authority. */
    readonly authority: string;
    readonly username: string;
    readonly password: string;
    /** The IPv4 address of a router or load balancer: all names lead there, whatever the machine's resolver says of them. */
    readonly throughRouter?: string;
  };
}

/** Every name is that address. */
export function lookUpAs(address: string): LookupFunction {
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  };
}

export interface TestRecord {
  readonly offset: number;
  readonly value: string;
}

export interface TestProducer {
  /** Resolves when all in-sync replicas acknowledged. */
  send(topic: string, values: readonly string[], partition?: number): Promise<void>;
  close(): Promise<void>;
}

export interface TestClient {
  readonly name: string;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** Names of the topics that this client may see. */
  topics(): Promise<readonly string[]>;
  /** Leader by partition. */
  leaders(topic: string): Promise<readonly number[]>;
  producer(options: { readonly idempotent: boolean }): Promise<TestProducer>;
  /** Everything from the earliest to the latest offset of a partition at the time of the call, without a group. */
  readAll(topic: string, partition: number): Promise<readonly TestRecord[]>;
  close(): Promise<void>;
}

/** `lasting`: tries for several seconds, over a failover. `none`: the first refusal is told. */
export type Patience = "lasting" | "none";

/**
 * What a client that does not try again waits for a connection and its answer, in milliseconds: else a machine that stands
 * still for a moment looks like the refusal that a test is about.
 */
export const refusalMsMax = 30_000;

const lastingMsMax = 40_000;
const lastingRetryMs = 100;

/** For what the libraries themselves do not try again: an answer that a leader or coordinator is just taking office. */
export async function lastingly<T>(attempt: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + lastingMsMax;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, lastingRetryMs));
    }
  }
}

/** How a library is told apart in a test's name, and made. */
export interface ClientLibrary {
  readonly name: "kafkajs" | "@platformatic/kafka";
  connect(settings: ConnectionSettings, clientId: string, patience?: Patience): TestClient;
}

/** Longest wait of a fetch for more bytes, in milliseconds. */
export const fetchWaitMs = 200;
export const fetchBytesMax = 8 * 1024 * 1024;
/** Reads that bring nothing, one after the other, before a reader gives up. */
export const emptyFetchesMax = 50;
