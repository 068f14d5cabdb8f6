import type { ErrorName } from "../../shared/kafka/error-codes.ts";
import type { PartitionError } from "../partition/partition-contract.ts";

/** What clients of coordinators are told; all but INVALID_COMMIT_OFFSET_SIZE and UNKNOWN_SERVER_ERROR they retry. */
export type CoordinatorError = Extract<
  ErrorName,
  | "NOT_COORDINATOR"
  | "COORDINATOR_NOT_AVAILABLE"
  | "COORDINATOR_LOAD_IN_PROGRESS"
  | "INVALID_COMMIT_OFFSET_SIZE"
  | "UNKNOWN_SERVER_ERROR"
>;

/**
 * What an error of the internal partition means to a client of its coordinator (as Kafka's GroupMetadataManager maps them).
 * Exhaustive: a new error does not compile.
 */
const meaning: Readonly<Record<PartitionError, CoordinatorError>> = {
  NOT_LEADER_OR_FOLLOWER: "NOT_COORDINATOR",
  LEADER_NOT_AVAILABLE: "COORDINATOR_NOT_AVAILABLE",
  FENCED_LEADER_EPOCH: "NOT_COORDINATOR",
  UNKNOWN_LEADER_EPOCH: "NOT_COORDINATOR",
  // A leader that nobody follows any more must not answer from what it has.
  OFFSET_NOT_AVAILABLE: "COORDINATOR_NOT_AVAILABLE",
  NOT_ENOUGH_REPLICAS: "COORDINATOR_NOT_AVAILABLE",
  REQUEST_TIMED_OUT: "COORDINATOR_NOT_AVAILABLE",
  KAFKA_STORAGE_ERROR: "NOT_COORDINATOR",
  MESSAGE_TOO_LARGE: "INVALID_COMMIT_OFFSET_SIZE",
  RECORD_LIST_TOO_LARGE: "INVALID_COMMIT_OFFSET_SIZE",
  OFFSET_OUT_OF_RANGE: "UNKNOWN_SERVER_ERROR",
  CORRUPT_MESSAGE: "UNKNOWN_SERVER_ERROR",
  INVALID_RECORD: "UNKNOWN_SERVER_ERROR",
  INVALID_TIMESTAMP: "UNKNOWN_SERVER_ERROR",
  UNSUPPORTED_FOR_MESSAGE_FORMAT: "UNKNOWN_SERVER_ERROR",
  UNSUPPORTED_COMPRESSION_TYPE: "UNKNOWN_SERVER_ERROR",
  OUT_OF_ORDER_SEQUENCE_NUMBER: "UNKNOWN_SERVER_ERROR",
  DUPLICATE_SEQUENCE_NUMBER: "UNKNOWN_SERVER_ERROR",
  INVALID_PRODUCER_EPOCH: "UNKNOWN_SERVER_ERROR",
  UNKNOWN_PRODUCER_ID: "UNKNOWN_SERVER_ERROR",
  POLICY_VIOLATION: "UNKNOWN_SERVER_ERROR",
};

export function coordinatorError(error: PartitionError): CoordinatorError {
  return meaning[error];
}
