/**
 * Every API that the wire codec knows, by key. Which of them a listener advertises is decided by the dispatcher.
 */
import type { Api } from "../codec/fields.ts";
import { alterConfigs } from "./alter-configs.ts";
import { apiVersions } from "./api-versions.ts";
import { createPartitions } from "./create-partitions.ts";
import { createTopics } from "./create-topics.ts";
import { deleteRecords } from "./delete-records.ts";
import { deleteTopics } from "./delete-topics.ts";
import { describeCluster } from "./describe-cluster.ts";
import { describeConfigs } from "./describe-configs.ts";
import { describeTopicPartitions } from "./describe-topic-partitions.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find-coordinator.ts";
import { incrementalAlterConfigs } from "./incremental-alter-configs.ts";
import { initProducerId } from "./init-producer-id.ts";
import { listOffsets } from "./list-offsets.ts";
import { listPartitionReassignments } from "./list-partition-reassignments.ts";
import { metadata } from "./metadata.ts";
import { offsetForLeaderEpoch } from "./offset-for-leader-epoch.ts";
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
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeConfigs,
  alterConfigs,
  saslAuthenticate,
  createPartitions,
  incrementalAlterConfigs,
  listPartitionReassignments,
  describeCluster,
  describeTopicPartitions,
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
