/**
 * Every API that the wire codec knows, by key. Which of them a listener advertises is decided by the dispatcher.
 */
import type { Api } from "../codec/fields.ts";
import { apiVersions } from "./api-versions.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find-coordinator.ts";
import { initProducerId } from "./init-producer-id.ts";
import { listOffsets } from "./list-offsets.ts";
import { metadata } from "./metadata.ts";
import { produce } from "./produce.ts";
import { saslAuthenticate } from "./sasl-authenticate.ts";
import { saslHandshake } from "./sasl-handshake.ts";

/** In the order of their keys. */
export const allApis = [
  produce,
  fetch,
  listOffsets,
  metadata,
  findCoordinator,
  saslHandshake,
  apiVersions,
  initProducerId,
  saslAuthenticate,
] as const satisfies readonly Api[];

/** A dense array, since it is consulted for every request. */
const apisByKey: (Api | undefined)[] = [];
for (const api of allApis) apisByKey[api.key] = api;

/** The API's table, or undefined when the key is unknown. */
export function apiByKey(key: number): Api | undefined {
  return apisByKey[key];
}

/** The range to advertise for an API, in the fields of an ApiVersions response. */
export function advertisedVersions(api: Api): { apiKey: number; minVersion: number; maxVersion: number } {
  return { apiKey: api.key, minVersion: api.advertisedVersionMin, maxVersion: api.versions.max };
}
