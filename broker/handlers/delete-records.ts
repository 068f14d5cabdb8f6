/**
 * DeleteRecords, v0 to v2.
 *
 * Raises the log start of partitions led here (KIP-107); -1 means up to the high watermark. The answer comes when a
 * quorum has the new start, or with REQUEST_TIMED_OUT for those partitions where it has not within the client's time.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type DeleteRecordsPartitionResult,
  type DeleteRecordsTopicResult,
  deleteRecords,
} from "../../shared/kafka/schema/delete-records.ts";
import type { Failed } from "../partition/partition-contract.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { hostedPartition } from "./context/hosted-lookup.ts";
import { kafkaErrorCode } from "./context/kafka-errors.ts";
import { adminWaitMsMax, decodedBytes } from "./limits.ts";

type MutableResult = { -readonly [Key in keyof DeleteRecordsPartitionResult]: DeleteRecordsPartitionResult[Key] };

const highWatermark = -1;

export const deleteRecordsHandler: Handler<typeof deleteRecords> = {
  api: deleteRecords,
  minVersion: deleteRecords.versions.min,
  maxVersion: deleteRecords.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const deletions: Promise<void>[] = [];
    const topics = request.topics.map(({ name, partitions }): DeleteRecordsTopicResult => {
      const topic = context.session.tenant.topic(name);
      const results = partitions.map(({ partitionIndex, offset }) => {
        const result: MutableResult = { partitionIndex, lowWatermark: -1, errorCode: errorCode.REQUEST_TIMED_OUT };
        const hosted = hostedPartition(context.services.partitions, topic, {
          index: partitionIndex,
          unknownTopic: "UNKNOWN_TOPIC_OR_PARTITION",
        });
        if (typeof hosted === "string") result.errorCode = errorCode[hosted];
        else if (offset < highWatermark) result.errorCode = errorCode.OFFSET_OUT_OF_RANGE;
        else deletions.push(hosted.deleteRecords(offset).then((deleted) => fill(result, deleted)));
        return result;
      });
      return { name, partitions: results };
    });
    if (deletions.length > 0) await withinTime(context, Promise.all(deletions), request.timeoutMs);
    // What comes later must not change an answer that is being sent.
    return structuredClone({ topics });
  },
};

function fill(
  result: MutableResult,
  deleted: { readonly kind: "deleted"; readonly lowWatermark: number } | Failed,
): void {
  if (deleted.kind === "failed") {
    result.errorCode = kafkaErrorCode(deleted.error);
    return;
  }
  result.errorCode = errorCode.NONE;
  result.lowWatermark = deleted.lowWatermark;
}

async function withinTime({ services }: RequestContext, done: Promise<unknown>, timeoutMs: number): Promise<void> {
  const waitMs = Math.min(Math.max(timeoutMs, 0), adminWaitMsMax);
  let cancel = (): void => undefined;
  const timedOut = new Promise<void>((resolve) => {
    cancel = services.timers.after(waitMs, resolve);
  });
  await Promise.race([done, timedOut]);
  cancel();
}
