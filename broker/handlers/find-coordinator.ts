/**
 * FindCoordinator, v0 to v6.
 *
 * Consumer groups and transactions are not served yet, so every key is answered with COORDINATOR_NOT_AVAILABLE, which
 * clients retry; a key type that the version does not know is INVALID_REQUEST. v1 key types; v4 many keys (KIP-699);
 * v5 transaction errors (KIP-890); v6 share groups (KIP-932).
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { coordinatorKeyTypes, findCoordinator } from "../../shared/kafka/schema/find-coordinator.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const manyKeysFrom = 4;
const shareKeysFrom = 6;

export const findCoordinatorHandler: Handler<typeof findCoordinator> = {
  api: findCoordinator,
  minVersion: findCoordinator.versions.min,
  maxVersion: findCoordinator.versions.max,
  memoryEstimate: decodedBytes,
  handle({ version }, { keyType, coordinatorKeys }) {
    const error = errorOf(keyType, version);
    const nowhere = { nodeId: -1, host: "", port: -1, errorCode: errorCode[error] };
    if (version < manyKeysFrom) return nowhere;
    return { coordinators: coordinatorKeys.map((key) => ({ key, ...nowhere })) };
  },
};

function errorOf(keyType: number, version: number): ErrorName {
  const { group, transaction, share } = coordinatorKeyTypes;
  const known = keyType === group || keyType === transaction || (keyType === share && version >= shareKeysFrom);
  return known ? "COORDINATOR_NOT_AVAILABLE" : "INVALID_REQUEST";
}
