/**
 * DescribeCluster, v0 to v2.
 *
 * The cluster id (the logical cluster's), the broker that takes administrative requests, and the brokers by the endpoints
 * of the client's listener. v1 asks for brokers or controllers (KIP-919): there are no controllers to connect to, so that
 * is MISMATCHED_ENDPOINT_TYPE; v2 may ask for fenced brokers too (KIP-1073): those that are registered but not alive.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { type DescribeClusterBroker, describeCluster } from "../../shared/kafka/schema/describe-cluster.ts";
import { clusterOperations, operationsNotAsked } from "./context/authorized-operations.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const brokerEndpoints = 1;
const controllerEndpoints = 2;

export const describeClusterHandler: Handler<typeof describeCluster> = {
  api: describeCluster,
  minVersion: describeCluster.versions.min,
  maxVersion: describeCluster.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, { endpointType, includeClusterAuthorizedOperations, includeFencedBrokers }) {
    const { tenant, listener } = context.session;
    const answer = { clusterId: tenant.clusterId, endpointType, brokers: [] };
    if (endpointType === controllerEndpoints) {
      const errorMessage = "This is a broker; there are no controllers to connect to.";
      return { ...answer, errorCode: errorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage };
    }
    if (endpointType !== brokerEndpoints) {
      const errorMessage = `There are no endpoints of type ${endpointType}.`;
      return { ...answer, errorCode: errorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage };
    }
    const alive = tenant
      .brokers(listener)
      .map(({ brokerId, host, port, zone }) => ({ brokerId, host, port, rack: zone }));
    return {
      ...answer,
      errorCode: errorCode.NONE,
      controllerId: tenant.controllerId(listener),
      brokers: includeFencedBrokers ? [...alive, ...fencedBrokers(context)] : alive,
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? clusterOperations : operationsNotAsked,
    };
  },
};

function fencedBrokers({ services, session }: RequestContext): DescribeClusterBroker[] {
  const fenced: DescribeClusterBroker[] = [];
  for (const { brokerId, zone, listeners } of services.image().brokers.values()) {
    const endpoint = listeners[session.listener];
    if (endpoint === undefined || session.tenant.isAlive(brokerId)) continue;
    fenced.push({ brokerId, host: endpoint.host, port: endpoint.port, rack: zone, isFenced: true });
  }
  return fenced;
}
