import type { ApiVersion } from "../../shared/kafka/schema/api-versions.ts";
import { alterConfigsHandler } from "../handlers/alter-configs.ts";
import { createApiVersionsHandler } from "../handlers/api-versions.ts";
import type { BrokerServices } from "../handlers/context/broker-services.ts";
import { register } from "../handlers/context/handler.ts";
import { createPartitionsHandler } from "../handlers/create-partitions.ts";
import { createTopicsHandler } from "../handlers/create-topics.ts";
import { deleteGroupsHandler } from "../handlers/delete-groups.ts";
import { deleteRecordsHandler } from "../handlers/delete-records.ts";
import { deleteTopicsHandler } from "../handlers/delete-topics.ts";
import { describeClusterHandler } from "../handlers/describe-cluster.ts";
import { describeConfigsHandler } from "../handlers/describe-configs.ts";
import { describeGroupsHandler } from "../handlers/describe-groups.ts";
import { describeLogDirsHandler } from "../handlers/describe-log-dirs.ts";
import { describeTopicPartitionsHandler } from "../handlers/describe-topic-partitions.ts";
import { electLeadersHandler } from "../handlers/elect-leaders.ts";
import { FetchSessions } from "../handlers/fetch/fetch-sessions.ts";
import { createFetchHandler } from "../handlers/fetch.ts";
import { findCoordinatorHandler } from "../handlers/find-coordinator.ts";
import { heartbeatHandler } from "../handlers/heartbeat.ts";
import { incrementalAlterConfigsHandler } from "../handlers/incremental-alter-configs.ts";
import { initProducerIdHandler } from "../handlers/init-producer-id.ts";
import { joinGroupHandler } from "../handlers/join-group.ts";
import { leaveGroupHandler } from "../handlers/leave-group.ts";
import { listGroupsHandler } from "../handlers/list-groups.ts";
import { listOffsetsHandler } from "../handlers/list-offsets.ts";
import { listPartitionReassignmentsHandler } from "../handlers/list-partition-reassignments.ts";
import { metadataHandler } from "../handlers/metadata.ts";
import { offsetCommitHandler } from "../handlers/offset-commit.ts";
import { offsetDeleteHandler } from "../handlers/offset-delete.ts";
import { offsetFetchHandler } from "../handlers/offset-fetch.ts";
import { offsetForLeaderEpochHandler } from "../handlers/offset-for-leader-epoch.ts";
import { produceHandler } from "../handlers/produce.ts";
import { saslAuthenticateHandler } from "../handlers/sasl-authenticate.ts";
import { saslHandshakeHandler } from "../handlers/sasl-handshake.ts";
import { syncGroupHandler } from "../handlers/sync-group.ts";
import { HandlerRegistry } from "./registry.ts";

/** Everything that this broker serves, in the order of the API keys. */
export function createRegistry(services: Pick<BrokerServices, "random" | "metrics">): HandlerRegistry {
  // Known once the registry is made, and asked for only by requests.
  let advertised: readonly ApiVersion[] = [];
  const registry = new HandlerRegistry(
    [
      register(produceHandler),
      register(createFetchHandler(new FetchSessions(services.random))),
      register(listOffsetsHandler),
      register(metadataHandler),
      register(offsetCommitHandler),
      register(offsetFetchHandler),
      register(findCoordinatorHandler),
      register(joinGroupHandler),
      register(heartbeatHandler),
      register(leaveGroupHandler),
      register(syncGroupHandler),
      register(describeGroupsHandler),
      register(listGroupsHandler),
      register(saslHandshakeHandler),
      register(createApiVersionsHandler(() => advertised)),
      register(createTopicsHandler),
      register(deleteTopicsHandler),
      register(deleteRecordsHandler),
      register(initProducerIdHandler),
      register(offsetForLeaderEpochHandler),
      register(describeConfigsHandler),
      register(alterConfigsHandler),
      register(describeLogDirsHandler),
      register(saslAuthenticateHandler),
      register(createPartitionsHandler),
      register(deleteGroupsHandler),
      register(electLeadersHandler),
      register(incrementalAlterConfigsHandler),
      register(listPartitionReassignmentsHandler),
      register(offsetDeleteHandler),
      register(describeClusterHandler),
      register(describeTopicPartitionsHandler),
    ],
    services.metrics,
  );
  advertised = registry.advertised();
  return registry;
}
