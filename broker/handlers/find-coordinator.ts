/**
 * FindCoordinator, v0 to v6.
 *
 * The broker that coordinates a group, by the endpoint of the client's listener; COORDINATOR_NOT_AVAILABLE, which clients
 * retry, while there is none. Transactions and share groups are not served yet: their keys are answered so as well, and a
 * key type that the version does not know is INVALID_REQUEST.
 *
 * v1 key types; v4 many keys (KIP-699); v5 transaction errors (KIP-890); v6 share groups (KIP-932).
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { coordinatorKeyTypes, findCoordinator } from "../../shared/kafka/schema/find-coordinator.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { coordinatorKeysMax, decodedBytes } from "./limits.ts";

const manyKeysFrom = 4;
const shareKeysFrom = 6;

interface Place {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
}

export const findCoordinatorHandler: Handler<typeof findCoordinator> = {
  api: findCoordinator,
  minVersion: findCoordinator.versions.min,
  maxVersion: findCoordinator.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, { key, keyType, coordinatorKeys }) {
    const { version } = context;
    if (version < manyKeysFrom) return placeOf(context, key, keyType);
    if (coordinatorKeys.length > coordinatorKeysMax) {
      return { coordinators: coordinatorKeys.map((one) => ({ key: one, ...nowhere("INVALID_REQUEST") })) };
    }
    const places = coordinatorKeys.map(async (one) => ({ key: one, ...(await placeOf(context, one, keyType)) }));
    return { coordinators: await Promise.all(places) };
  },
};

async function placeOf({ services, session, version }: RequestContext, key: string, keyType: number): Promise<Place> {
  const { group, transaction, share } = coordinatorKeyTypes;
  if (keyType === transaction || (keyType === share && version >= shareKeysFrom))
    return nowhere("COORDINATOR_NOT_AVAILABLE");
  if (keyType !== group) return nowhere("INVALID_REQUEST");
  const { tenant, listener } = session;
  if (tenant.lkc === undefined) return nowhere("GROUP_AUTHORIZATION_FAILED");
  const brokerId = await services.groups.locate({ lkc: tenant.lkc, groupId: key });
  const broker = brokerId === undefined ? undefined : tenant.broker(brokerId, listener);
  if (broker === undefined) return nowhere("COORDINATOR_NOT_AVAILABLE");
  return { nodeId: broker.brokerId, host: broker.host, port: broker.port, errorCode: errorCode.NONE };
}

function nowhere(error: ErrorName): Place {
  return { nodeId: -1, host: "", port: -1, errorCode: errorCode[error] };
}
