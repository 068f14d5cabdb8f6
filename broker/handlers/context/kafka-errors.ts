/**
 * The one map from what the broker's insides answer to what a client is told. Exhaustive: a new domain error does not
 * compile. (Metadata commands refuse in Kafka's own names already.)
 */
import { type ErrorName, errorCode } from "../../../shared/kafka/error-codes.ts";
import type { SubmitResult } from "../../controller/command-gateway.ts";
import type { PartitionError } from "../../partition/partition-contract.ts";

const kafkaNames: Readonly<Record<PartitionError, ErrorName>> = {
  NOT_LEADER_OR_FOLLOWER: "NOT_LEADER_OR_FOLLOWER",
  LEADER_NOT_AVAILABLE: "LEADER_NOT_AVAILABLE",
  FENCED_LEADER_EPOCH: "FENCED_LEADER_EPOCH",
  UNKNOWN_LEADER_EPOCH: "UNKNOWN_LEADER_EPOCH",
  OFFSET_OUT_OF_RANGE: "OFFSET_OUT_OF_RANGE",
  OFFSET_NOT_AVAILABLE: "OFFSET_NOT_AVAILABLE",
  NOT_ENOUGH_REPLICAS: "NOT_ENOUGH_REPLICAS",
  KAFKA_STORAGE_ERROR: "KAFKA_STORAGE_ERROR",
  CORRUPT_MESSAGE: "CORRUPT_MESSAGE",
  INVALID_RECORD: "INVALID_RECORD",
  INVALID_TIMESTAMP: "INVALID_TIMESTAMP",
  MESSAGE_TOO_LARGE: "MESSAGE_TOO_LARGE",
  RECORD_LIST_TOO_LARGE: "RECORD_LIST_TOO_LARGE",
  UNSUPPORTED_FOR_MESSAGE_FORMAT: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  UNSUPPORTED_COMPRESSION_TYPE: "UNSUPPORTED_COMPRESSION_TYPE",
  OUT_OF_ORDER_SEQUENCE_NUMBER: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  DUPLICATE_SEQUENCE_NUMBER: "DUPLICATE_SEQUENCE_NUMBER",
  INVALID_PRODUCER_EPOCH: "INVALID_PRODUCER_EPOCH",
  UNKNOWN_PRODUCER_ID: "UNKNOWN_PRODUCER_ID",
  REQUEST_TIMED_OUT: "REQUEST_TIMED_OUT",
  POLICY_VIOLATION: "POLICY_VIOLATION",
};

export function kafkaErrorName(error: PartitionError): ErrorName {
  return kafkaNames[error];
}

export function kafkaErrorCode(error: PartitionError): number {
  return errorCode[kafkaNames[error]];
}

type SubmitFailure = Exclude<SubmitResult["kind"], "done">;

/**
 * A change that was not made, or of which it is unknown whether it was. Both are retriable; after an unknown outcome a
 * repeated request may find its own work done.
 */
const submitFailures: Readonly<Record<SubmitFailure, ErrorName>> = {
  "no-controller": "REQUEST_TIMED_OUT",
  unknown: "REQUEST_TIMED_OUT",
};

export function submitErrorName(failure: SubmitFailure): ErrorName {
  return submitFailures[failure];
}
