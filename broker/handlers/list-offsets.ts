/**
 * ListOffsets, v1 to v11.
 *
 * Offsets by time, or by one of the questions that negative timestamps are: -1 latest (what a reader of this isolation
 * level may read up to), -2 earliest, -3 the record with the largest timestamp (v7, KIP-734), -4 earliest local (v8;
 * equal to the earliest while there is no object tier), -5 latest tiered (v9) and -6 earliest pending upload (v11): none,
 * as Kafka answers without remote storage. A question that the version does not know is UNSUPPORTED_VERSION.
 *
 * v2 isolation level; v4 leader epochs; v5 OFFSET_NOT_AVAILABLE of a leader that may not serve yet; v10 a timeout for remote storage (ignored).
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsTopicResponse,
  listOffsets,
} from "../../shared/kafka/schema/list-offsets.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { Failed, HostedPartition, PartitionOffsets } from "../partition/partition-contract.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { hostedPartition } from "./context/hosted-lookup.ts";
import { kafkaErrorName } from "./context/kafka-errors.ts";
import { offsetsWhenReady } from "./context/leader-readiness.ts";
import { RequestWaits } from "./context/request-waits.ts";
import { decodedBytes, offsetLookUpsMax } from "./limits.ts";

type AskedPartition = ListOffsetsRequest["topics"][number]["partitions"][number];
type MutableAnswer = { -readonly [Key in keyof ListOffsetsPartitionResponse]: ListOffsetsPartitionResponse[Key] };
type Found = { readonly offset: number; readonly timestampMs: number; readonly epoch: number };

const readCommitted = 1;
const offsetNotAvailableFrom = 5;

const latestQuestion = -1;
const earliestQuestion = -2;
const maxTimestampQuestion = -3;
const earliestLocalQuestion = -4;
const latestTieredQuestion = -5;
const earliestPendingUploadQuestion = -6;

/** The version that brought each question. */
const questionFrom: ReadonlyMap<number, number> = new Map([
  [latestQuestion, 1],
  [earliestQuestion, 1],
  [maxTimestampQuestion, 7],
  [earliestLocalQuestion, 8],
  [latestTieredQuestion, 9],
  [earliestPendingUploadQuestion, 11],
]);

const none: Found = { offset: -1, timestampMs: -1, epoch: -1 };

export const listOffsetsHandler: Handler<typeof listOffsets> = {
  api: listOffsets,
  minVersion: listOffsets.versions.min,
  maxVersion: listOffsets.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const lookUps = new LookUps();
    const waits = new RequestWaits(context);
    const topics: ListOffsetsTopicResponse[] = [];
    for (const topic of request.topics) {
      const image = context.session.tenant.topic(topic.name);
      const seen = new Set<number>();
      const partitions: ListOffsetsPartitionResponse[] = [];
      for (const asked of topic.partitions) {
        const answer: MutableAnswer = { partitionIndex: asked.partitionIndex, errorCode: errorCode.NONE };
        partitions.push(answer);
        const isRepeated = seen.has(asked.partitionIndex);
        seen.add(asked.partitionIndex);
        const hosted = isRepeated ? "INVALID_REQUEST" : await whenFound(context, waits, image, asked.partitionIndex);
        const found = typeof hosted === "string" ? hosted : answerOf(context, request, { asked, hosted });
        await lookUps.add(answer, found);
      }
      topics.push({ name: topic.name, partitions });
    }
    await lookUps.done();
    return { topics };
  },
};

/** The partition, once a leadership that this broker is about to begin has begun. */
async function whenFound(
  { services }: RequestContext,
  waits: RequestWaits,
  topic: TopicImage | undefined,
  index: number,
): Promise<HostedPartition | ErrorName> {
  const find = () => hostedPartition(services.partitions, topic, { index, unknownTopic: "UNKNOWN_TOPIC_OR_PARTITION" });
  for (;;) {
    const hosted = find();
    const leads = typeof hosted !== "string" && hosted.leaderEpoch !== undefined;
    const wait = leads || topic?.partitions[index] === undefined ? undefined : waits.obstacle(topic.topicId, index);
    if (wait === undefined) return hosted;
    await wait;
  }
}

type Answer = Found | ErrorName;

function answerOf(
  context: RequestContext,
  request: ListOffsetsRequest,
  { asked, hosted }: { readonly asked: AskedPartition; readonly hosted: HostedPartition },
): Answer | Promise<Answer> {
  const { timestamp, currentLeaderEpoch } = asked;
  const from = questionFrom.get(timestamp) ?? Number.POSITIVE_INFINITY;
  if (timestamp < 0 && context.version < from) return "UNSUPPORTED_VERSION";
  const offsets = hosted.offsets(currentLeaderEpoch);
  if (!("kind" in offsets) || offsets.error !== "OFFSET_NOT_AVAILABLE")
    return answerFrom(context, request, { asked, hosted, offsets });
  return offsetsWhenReady(context.services, hosted, currentLeaderEpoch).then((later) =>
    answerFrom(context, request, { asked, hosted, offsets: later }),
  );
}

function answerFrom(
  context: RequestContext,
  request: ListOffsetsRequest,
  found: {
    readonly asked: AskedPartition;
    readonly hosted: HostedPartition;
    readonly offsets: PartitionOffsets | Failed;
  },
): Answer | Promise<Answer> {
  const { asked, hosted, offsets } = found;
  if ("kind" in offsets) {
    const error = kafkaErrorName(offsets.error);
    // Clients of older versions do not know the error; Kafka spares them too.
    return error === "OFFSET_NOT_AVAILABLE" && context.version < offsetNotAvailableFrom
      ? "LEADER_NOT_AVAILABLE"
      : error;
  }
  const { timestamp } = asked;
  switch (timestamp) {
    case latestQuestion:
      return latest(offsets, request.isolationLevel);
    case earliestQuestion:
    case earliestLocalQuestion:
      return { offset: offsets.logStartOffset, timestampMs: -1, epoch: -1 };
    case latestTieredQuestion:
    case earliestPendingUploadQuestion:
      return none;
    case maxTimestampQuestion:
      return hosted.offsetOfMaxTimestamp().then(settled);
    default:
      return hosted.offsetForTimestamp(timestamp).then(settled);
  }
}

function latest({ lastStableOffset, highWatermark, leaderEpoch }: PartitionOffsets, isolationLevel: number): Found {
  const offset = isolationLevel === readCommitted ? lastStableOffset : highWatermark;
  return { offset, timestampMs: -1, epoch: leaderEpoch };
}

function settled(found: Found | undefined | Failed): Answer {
  if (found === undefined) return none;
  return "kind" in found ? kafkaErrorName(found.error) : found;
}

/** Runs a bounded number of look-ups at a time, each of which fills its own answer. */
class LookUps {
  #underWay: Promise<void>[] = [];

  async add(answer: MutableAnswer, found: Answer | Promise<Answer>): Promise<void> {
    if (!(found instanceof Promise)) return fill(answer, found);
    this.#underWay.push(found.then((settledAnswer) => fill(answer, settledAnswer)));
    if (this.#underWay.length >= offsetLookUpsMax) await this.done();
  }

  async done(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#underWay = [];
  }
}

function fill(answer: MutableAnswer, found: Answer): void {
  if (typeof found === "string") {
    answer.errorCode = errorCode[found];
    return;
  }
  answer.offset = found.offset;
  answer.timestamp = found.timestampMs;
  answer.leaderEpoch = found.epoch;
}
