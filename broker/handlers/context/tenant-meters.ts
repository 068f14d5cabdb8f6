import type { ErrorName } from "../../../shared/kafka/error-codes.ts";
import type { Counter, Histogram, Metrics } from "../../../shared/telemetry/metrics.ts";

/** A tenant's metric handles, taken once for each connection. */
export class TenantMeters {
  readonly produceRequests: Counter;
  readonly produceBytes: Counter;
  readonly produceRecords: Counter;
  readonly produceLatency: Histogram;
  readonly producerDuplicates: Counter;
  readonly fetchRequests: Counter;
  readonly fetchBytes: Counter;
  readonly fetchLatency: Histogram;
  readonly offsetCommits: Counter;
  readonly offsetCommitLatency: Histogram;
  readonly #metrics: Metrics;
  readonly #lkc: string;

  constructor(metrics: Metrics, lkc: string) {
    this.#metrics = metrics;
    this.#lkc = lkc;
    this.produceRequests = metrics.counter("produceRequests", { lkc });
    this.produceBytes = metrics.counter("produceBytes", { lkc });
    this.produceRecords = metrics.counter("produceRecords", { lkc });
    this.produceLatency = metrics.histogram("produceLatency", { lkc });
    this.producerDuplicates = metrics.counter("producerDuplicates", { lkc });
    this.fetchRequests = metrics.counter("fetchRequests", { lkc });
    this.fetchBytes = metrics.counter("fetchBytes", { lkc });
    this.fetchLatency = metrics.histogram("fetchLatency", { lkc });
    this.offsetCommits = metrics.counter("offsetCommits", { lkc });
    this.offsetCommitLatency = metrics.histogram("offsetCommitLatency", { lkc });
  }

  produceError(error: ErrorName): void {
    this.#metrics.counter("produceErrors", { lkc: this.#lkc, error }).add(1);
  }

  fetchError(error: ErrorName): void {
    this.#metrics.counter("fetchErrors", { lkc: this.#lkc, error }).add(1);
  }
}
