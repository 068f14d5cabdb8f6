/**
 * OffsetForLeaderEpoch, v2 to v4.
 *
 * The last epoch not above the one asked for, and where it ends: how a client finds out that a log was cut (KIP-320).
 * Epoch and offset -1 when nothing is known of it. v3 names the asking replica (ignored: only clients use this).
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type OffsetForLeaderEpochPartitionResult,
  offsetForLeaderEpoch,
} from "../../shared/kafka/schema/offset-for-leader-epoch.ts";
import type { Handler } from "./context/handler.ts";
import { hostedPartition } from "./context/hosted-lookup.ts";
import { kafkaErrorName } from "./context/kafka-errors.ts";
import { decodedBytes } from "./limits.ts";

export const offsetForLeaderEpochHandler: Handler<typeof offsetForLeaderEpoch> = {
  api: offsetForLeaderEpoch,
  minVersion: offsetForLeaderEpoch.versions.min,
  maxVersion: offsetForLeaderEpoch.versions.max,
  memoryEstimate: decodedBytes,
  handle({ services, session }, request) {
    const topics = request.topics.map(({ topic, partitions }) => {
      const image = session.tenant.topic(topic);
      return {
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const hosted = hostedPartition(services.partitions, image, {
            index: partition,
            unknownTopic: "UNKNOWN_TOPIC_OR_PARTITION",
          });
          if (typeof hosted === "string") return refuse(partition, hosted);
          const offsets = hosted.offsets(currentLeaderEpoch);
          if ("kind" in offsets) return refuse(partition, kafkaErrorName(offsets.error));
          const end = hosted.endOffsetForEpoch(leaderEpoch);
          return { partition, errorCode: errorCode.NONE, leaderEpoch: end.epoch, endOffset: end.endOffset };
        }),
      };
    });
    return { topics };
  },
};

function refuse(partition: number, error: ErrorName): OffsetForLeaderEpochPartitionResult {
  return { partition, errorCode: errorCode[error], leaderEpoch: -1, endOffset: -1 };
}
