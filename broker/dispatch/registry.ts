import { strict as assert } from "node:assert";
import type { Api } from "../../shared/kafka/codec/fields.ts";
import type { ApiVersion } from "../../shared/kafka/schema/api-versions.ts";
import type { Counter, Histogram, Metrics } from "../../shared/telemetry/metrics.ts";
import type { RegisteredHandler } from "../handlers/context/handler.ts";

/** A handler with its counters. */
export interface RegistryEntry extends RegisteredHandler {
  readonly requests: Counter;
  /** Seconds from a request read whole to its answer handed to the socket. */
  readonly latency: Histogram;
}

/** The APIs that this broker serves: what is in here is advertised, and nothing else. */
export class HandlerRegistry {
  /** By API key; dense, since it is consulted for every request. */
  readonly #entries: (RegistryEntry | undefined)[] = [];

  constructor(handlers: readonly RegisteredHandler[], metrics: Metrics) {
    for (const handler of handlers) {
      const { api, minVersion, maxVersion } = handler;
      assert(this.#entries[api.key] === undefined, `two handlers for ${api.name}`);
      assert(minVersion >= api.versions.min && maxVersion <= api.versions.max, `${api.name}: a version without schema`);
      this.#entries[api.key] = {
        api,
        minVersion,
        maxVersion,
        pipelined: handler.pipelined,
        memoryEstimate: (frameBytes) => handler.memoryEstimate(frameBytes),
        serve: (services, session, request) => handler.serve(services, session, request),
        requests: metrics.counter("requests", { api: api.name }),
        latency: metrics.histogram("requestLatency", { api: api.name }),
      };
    }
  }

  entry(apiKey: number): RegistryEntry | undefined {
    return this.#entries[apiKey];
  }

  readonly apiByKey = (apiKey: number): Api | undefined => this.#entries[apiKey]?.api;

  /** The ranges of an ApiVersions response, by key. */
  advertised(): ApiVersion[] {
    const served: ApiVersion[] = [];
    for (const entry of this.#entries) {
      if (entry === undefined) continue;
      const { api, maxVersion } = entry;
      // An API may claim versions below those it serves: clients take them for features (Produce 0 to 2, librdkafka).
      const minVersion = entry.minVersion === api.versions.min ? api.advertisedVersionMin : entry.minVersion;
      served.push({ apiKey: api.key, minVersion, maxVersion });
    }
    return served;
  }
}
