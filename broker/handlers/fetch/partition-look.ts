import { ZERO_UUID } from "../../../shared/kafka/codec/uuid.ts";
import { type ErrorName, errorCode } from "../../../shared/kafka/error-codes.ts";
import { RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";
import type { FetchPartitionData } from "../../../shared/kafka/schema/fetch.ts";
import type { TopicImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { HostedPartition, PartitionOffsets } from "../../partition/partition-contract.ts";
import type { RequestContext } from "../context/handler.ts";
import { hostedPartition } from "../context/hosted-lookup.ts";
import { kafkaErrorName } from "../context/kafka-errors.ts";
import type { LeaderHints } from "../context/leader-hints.ts";
import type { FetchPartition, PartitionAnswer } from "./fetch-partition.ts";

/** From here on the new leader comes with the error (KIP-951). */
const leaderHintsFrom = 16;

const nothingRead = { bytes: 0, wantedBytes: 0 } as const;

/** Moved from answer to answer, so that a look at a header costs no object. */
const batchView = new RecordBatchView(Buffer.alloc(0));

const noRecords: readonly Buffer[] = Object.freeze([]);

/** A partition that can be read: what `read` should be asked for. */
export interface Readable {
  readonly hosted: HostedPartition;
  readonly offsets: PartitionOffsets;
  /** Records from the fetch offset to below this may be given to the client. */
  readonly bound: number;
}

/** Looks at partitions for one request: checks, then says what there is to read or what to answer. */
export class PartitionLook {
  readonly #context: RequestContext;
  readonly #committedOnly: boolean;
  readonly #hints: LeaderHints;

  constructor(context: RequestContext, committedOnly: boolean, hints: LeaderHints) {
    this.#context = context;
    this.#committedOnly = committedOnly;
    this.#hints = hints;
  }

  /** The checks, in Kafka's order. */
  check(partition: FetchPartition): Readable | PartitionAnswer {
    const { tenant } = this.#context.session;
    const byId = partition.key.topicId !== ZERO_UUID;
    const topic = byId ? tenant.topicById(partition.key.topicId) : tenant.topic(partition.key.topic);
    const hosted = hostedPartition(this.#context.services.partitions, topic, {
      index: partition.index,
      unknownTopic: byId || partition.key.topic === "" ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION",
    });
    if (typeof hosted === "string") return this.failed(partition, hosted, topic);
    const { currentLeaderEpoch, fetchOffset, lastFetchedEpoch } = partition.asked;
    const offsets = hosted.offsets(currentLeaderEpoch);
    if ("kind" in offsets) return this.failed(partition, kafkaErrorName(offsets.error), topic);
    if (lastFetchedEpoch >= 0) {
      const end = hosted.endOffsetForEpoch(lastFetchedEpoch);
      if (end.epoch < 0 || end.endOffset < 0) return this.failed(partition, "OFFSET_OUT_OF_RANGE", topic);
      if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return this.#diverged(partition, offsets, end);
    }
    if (isOutOfRange(hosted, offsets, fetchOffset)) return this.failed(partition, "OFFSET_OUT_OF_RANGE", topic);
    return { hosted, offsets, bound: this.#committedOnly ? offsets.lastStableOffset : offsets.highWatermark };
  }

  found(partition: FetchPartition, offsets: PartitionOffsets, records: readonly Buffer[] = noRecords): PartitionAnswer {
    let bytes = 0;
    for (const chunk of records) bytes += chunk.length;
    const [first] = records;
    // Batches without records come alone, when nothing else follows.
    const isEmpty = first === undefined || batchView.moveTo(first, 0).recordCount === 0;
    const wantedBytes = isEmpty ? 0 : bytes;
    return { data: this.#data(partition, offsets, records), bytes, wantedBytes, decisive: false };
  }

  failed(partition: FetchPartition, error: ErrorName, topic: TopicImage | undefined): PartitionAnswer {
    this.#context.session.meters.fetchError(error);
    const data: FetchPartitionData = {
      partitionIndex: partition.index,
      errorCode: errorCode[error],
      highWatermark: -1,
      abortedTransactions: this.#committedOnly ? [] : null,
      records: noRecords,
    };
    const moved = error === "NOT_LEADER_OR_FOLLOWER" || error === "FENCED_LEADER_EPOCH";
    const hint =
      moved && this.#context.version >= leaderHintsFrom ? this.#hints.hint(topic?.topicId, partition.index) : undefined;
    return { data: hint === undefined ? data : { ...data, currentLeader: hint }, ...nothingRead, decisive: true };
  }

  #diverged(
    partition: FetchPartition,
    offsets: PartitionOffsets,
    divergingEpoch: { readonly epoch: number; readonly endOffset: number },
  ): PartitionAnswer {
    const data = { ...this.#data(partition, offsets, noRecords), divergingEpoch };
    return { data, ...nothingRead, decisive: true };
  }

  #data(partition: FetchPartition, offsets: PartitionOffsets, records: readonly Buffer[]) {
    return {
      partitionIndex: partition.index,
      errorCode: errorCode.NONE,
      highWatermark: offsets.highWatermark,
      lastStableOffset: offsets.lastStableOffset,
      logStartOffset: offsets.logStartOffset,
      // No transaction can be open or aborted yet, so the last stable offset is the high watermark.
      abortedTransactions: this.#committedOnly ? [] : null,
      records,
    };
  }
}

/** An offset that is given but not committed yet is in range: its record will come. */
function isOutOfRange(hosted: HostedPartition, offsets: PartitionOffsets, fetchOffset: number): boolean {
  if (fetchOffset < offsets.logStartOffset) return true;
  return fetchOffset > offsets.highWatermark && fetchOffset > hosted.endOffsetForEpoch(offsets.leaderEpoch).endOffset;
}
