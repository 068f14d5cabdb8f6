import type { GroupError } from "./group-contract.ts";

/**
 * What clients of a coordinator are told when its append failed: whether to try again here, to look for the coordinator,
 * or to give up. They asked for nothing of a log, so the log's own errors would mean nothing to them.
 */
export function answerToFailedWrite(error: GroupError): GroupError {
  switch (error) {
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "NOT_ENOUGH_REPLICAS":
    case "NOT_ENOUGH_REPLICAS_AFTER_APPEND":
    case "REQUEST_TIMED_OUT":
      return "COORDINATOR_NOT_AVAILABLE";
    case "NOT_LEADER_OR_FOLLOWER":
    case "KAFKA_STORAGE_ERROR":
      return "NOT_COORDINATOR";
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
    case "INVALID_FETCH_SIZE":
    // So the shard calls a record that is too large; it is meant for commits, and members know it from nothing else.
    case "INVALID_COMMIT_OFFSET_SIZE":
      return "UNKNOWN_SERVER_ERROR";
    default:
      return error;
  }
}
