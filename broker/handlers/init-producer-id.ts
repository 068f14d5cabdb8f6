/**
 * InitProducerId, v0 to v5.
 *
 * Gives an idempotent producer an id that is unique in the fleet, and epoch 0. As in Apache Kafka, a producer without a
 * transactional id always gets a new id, also when it names the one it had (v3, KIP-360): it starts again at sequence 0.
 * COORDINATOR_LOAD_IN_PROGRESS, which producers retry, when no block of ids could be had in time.
 *
 * Half of a former identity (an id without an epoch, or the reverse) and an empty transactional id are INVALID_REQUEST.
 *
 * A transactional id is answered with COORDINATOR_NOT_AVAILABLE: transactions are not served yet, and FindCoordinator
 * says the same.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { type InitProducerIdResponse, initProducerId } from "../../shared/kafka/schema/init-producer-id.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const firstEpoch = 0;
/** What a producer sends that had no id or epoch before. */
const unknown = -1;

export const initProducerIdHandler: Handler<typeof initProducerId> = {
  api: initProducerId,
  minVersion: initProducerId.versions.min,
  maxVersion: initProducerId.versions.max,
  memoryEstimate: decodedBytes,
  async handle({ services }, { transactionalId, producerId: formerId, producerEpoch: formerEpoch }) {
    const halfKnown = formerId === unknown ? formerEpoch !== unknown : formerEpoch === unknown;
    if (transactionalId === "" || halfKnown) return refuse("INVALID_REQUEST");
    if (transactionalId !== null) return refuse("COORDINATOR_NOT_AVAILABLE");
    const producerId = await services.producerIds.next();
    if (producerId === undefined) return refuse("COORDINATOR_LOAD_IN_PROGRESS");
    return { errorCode: errorCode.NONE, producerId, producerEpoch: firstEpoch };
  },
};

function refuse(error: ErrorName): InitProducerIdResponse {
  return { errorCode: errorCode[error], producerId: -1, producerEpoch: -1 };
}
