/**
 * ListPartitionReassignments, v0 (KIP-455).
 *
 * Placement is the cell's own business, so there is never a reassignment to list; `kafka-topics --describe` asks.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { listPartitionReassignments } from "../../shared/kafka/schema/list-partition-reassignments.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const listPartitionReassignmentsHandler: Handler<typeof listPartitionReassignments> = {
  api: listPartitionReassignments,
  minVersion: listPartitionReassignments.versions.min,
  maxVersion: listPartitionReassignments.versions.max,
  memoryEstimate: decodedBytes,
  handle: () => ({ errorCode: errorCode.NONE, errorMessage: null, topics: [] }),
};
