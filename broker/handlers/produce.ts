/**
 * Produce, v3 to v13 (0 is advertised as lowest, as Apache Kafka 4 does, because librdkafka tells brokers apart by it).
 *
 * Appends record batches to partitions led here. Two stages: all appends happen, in order, before `handle` returns, so
 * that pipelined requests keep their order; the answer comes when the quorum has them (acks=-1), at once (acks=1) or
 * never (acks=0, where an error closes the connection). A partition that this broker is about to lead, and one that it
 * has not heard of yet, is waited for a moment (docs/adr/0013): refused, the first records sent to a new topic would come
 * again behind those that were pipelined after them.
 *
 * v5 log start offset; v8 errors of single records (KIP-467); v10 the new leader with NOT_LEADER_OR_FOLLOWER (KIP-951);
 * v12 transactions without AddPartitionsToTxn (not served yet); v13 topic ids (KIP-516).
 *
 * Transactions are not served yet: a transactional id, or a batch with the transactional bit, is refused with
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which clients treat as final.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { batchHeaderBytes, RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import {
  type ProducePartitionData,
  type ProducePartitionResponse,
  type ProduceRequest,
  type ProduceResponse,
  type ProduceTopicData,
  type ProduceTopicResponse,
  produce,
} from "../../shared/kafka/schema/produce.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { AppendResult, HostedPartition, PartitionError, Withdraw } from "../partition/partition-contract.ts";
import {
  type Answer,
  type Handler,
  Postponed,
  type RequestContext,
  type Unanswered,
  unanswered,
  unansweredAndClosed,
} from "./context/handler.ts";
import { hostedPartition } from "./context/hosted-lookup.ts";
import { kafkaErrorName } from "./context/kafka-errors.ts";
import { LeaderHints } from "./context/leader-hints.ts";
import { RequestWaits } from "./context/request-waits.ts";
import { produceWaitMsMax, requestBytesMin } from "./limits.ts";

const leaderHintsFrom = 10;
const topicIdsFrom = 13;

/** Moved from batch to batch, so that a look at a header costs no object. */
const batchView = new RecordBatchView(Buffer.alloc(0));

interface Found {
  /** The replica of a partition, or why there is none to append to. */
  readonly hosted: HostedPartition | ErrorName;
  /** Nothing kept it from taking records before any of the request's were appended. */
  readonly isReady: boolean;
}

/** An answer as it is built; what waits for its commit may still fail. */
type PartitionAnswer = { -readonly [Key in keyof ProducePartitionResponse]: ProducePartitionResponse[Key] };

/**
 * One request on its way. While it waits for its commit it holds nothing of the request's frame: that is the log's, and
 * what lives on here would be carried from one young collection to the next (docs/adr/0007).
 */
class Production {
  readonly #context: RequestContext;
  readonly #acks: number;
  readonly #timeoutMs: number;
  readonly #startedMs: number;
  readonly #topics: ProduceTopicResponse[] = [];
  #waits: RequestWaits | undefined;
  #hints: LeaderHints | undefined;
  #failures = 0;
  #bytes = 0;
  #records = 0;
  /** Appends not committed yet, and one more until all have been started. */
  #open = 1;
  #withdraws: Map<PartitionAnswer, Withdraw> | undefined;
  #finish: ((response: ProduceResponse) => void) | undefined;

  constructor(context: RequestContext, request: ProduceRequest) {
    this.#context = context;
    this.#acks = request.acks;
    this.#timeoutMs = request.timeoutMs;
    this.#startedMs = context.services.clock.monotonicMs();
  }

  /** Called with the request that it was made for; again only when it was postponed. */
  run(request: ProduceRequest): Answer<ProduceResponse> {
    const found: Found[] = [];
    const waits = this.#findPartitions(request, found);
    // All are found anew afterwards: what led before the wait may have lost its office meanwhile.
    if (waits.length > 0) return new Postponed(Promise.all(waits), () => this.run(request));
    const inOrder = found.values();
    for (const topicData of request.topicData) this.#produceTopic(topicData, inOrder);
    this.#open -= 1;
    if (this.#acks === 0) return this.#endUnanswered();
    if (this.#open === 0) return this.#response();
    return this.#whenCommitted();
  }

  /** Adds each partition of the request to `found`, and gives what must be waited for before any is appended to. */
  #findPartitions(request: ProduceRequest, found: Found[]): Promise<void>[] {
    const refusal = refusalOf(request);
    const waits: (Promise<void> | undefined)[] = [];
    let unknown = false;
    for (const topicData of request.topicData) {
      const topic = this.#topicOf(topicData);
      for (const data of topicData.partitionData) {
        const hosted = refusal ?? this.#lookUp(topic, data);
        const isReady = typeof hosted !== "string" && hosted.obstacle === undefined;
        found.push({ hosted, isReady });
        if (isReady || refusal !== undefined || hosted === "INVALID_RECORD") continue;
        if (topic?.partitions[data.index] === undefined) unknown = true;
        else waits.push(this.#requestWaits.obstacle(topic.topicId, data.index));
      }
    }
    if (unknown) waits.push(this.#requestWaits.topic());
    return waits.filter((wait) => wait !== undefined);
  }

  #topicOf(topicData: ProduceTopicData): TopicImage | undefined {
    const { session, version } = this.#context;
    return version >= topicIdsFrom ? session.tenant.topicById(topicData.topicId) : session.tenant.topic(topicData.name);
  }

  #lookUp(topic: TopicImage | undefined, { index, records }: ProducePartitionData): Found["hosted"] {
    if (records === null || records.length < batchHeaderBytes) return "INVALID_RECORD";
    const unknownTopic = this.#context.version >= topicIdsFrom ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION";
    return hostedPartition(this.#context.services.partitions, topic, { index, unknownTopic });
  }

  get #requestWaits(): RequestWaits {
    this.#waits ??= new RequestWaits(this.#context);
    return this.#waits;
  }

  /** `found`: its partitions are next. */
  #produceTopic(topicData: ProduceTopicData, found: Iterator<Found, undefined>): void {
    const topic = this.#topicOf(topicData);
    const partitionResponses = topicData.partitionData.map((data) => {
      const { hosted, isReady } = found.next().value as Found;
      return typeof hosted === "string"
        ? this.#failed(data.index, { error: hosted, topic })
        : this.#append(data, { hosted, isReady }, topic);
    });
    this.#topics.push({ name: topicData.name, topicId: topicData.topicId, partitionResponses });
  }

  #append(
    data: ProducePartitionData,
    { hosted, isReady }: { readonly hosted: HostedPartition; readonly isReady: boolean },
    topic: TopicImage | undefined,
  ): PartitionAnswer {
    const records = data.records as Buffer;
    const result: AppendResult = hosted.append(records, { requiredAcks: this.#acks, evenIfDiskLags: isReady });
    if (result.kind === "failed") {
      const { message, recordErrors } = result;
      const error = kafkaErrorName(result.error);
      return this.#failed(data.index, { error, topic, message: message ?? null, recordErrors: recordErrors ?? [] });
    }
    if (result.duplicate === true) this.#context.session.meters.producerDuplicates.add(1);
    this.#bytes += records.length;
    this.#records += result.endOffset - result.baseOffset;
    const answer: PartitionAnswer = {
      index: data.index,
      errorCode: errorCode.NONE,
      baseOffset: result.baseOffset,
      logAppendTimeMs: result.logAppendTimeMs,
      logStartOffset: result.logStartOffset,
    };
    if (this.#acks === -1) this.#awaitCommit(answer, { hosted, topic, endOffset: result.endOffset });
    return answer;
  }

  #awaitCommit(
    answer: PartitionAnswer,
    append: { readonly hosted: HostedPartition; readonly topic: TopicImage | undefined; readonly endOffset: number },
  ): void {
    let settled = false;
    this.#open += 1;
    const withdraw = append.hosted.whenCommitted(append.endOffset, (error) => {
      settled = true;
      this.#committed(answer, error, append.topic);
    });
    if (settled) return;
    this.#withdraws ??= new Map();
    this.#withdraws.set(answer, withdraw);
  }

  #committed(answer: PartitionAnswer, error: PartitionError | undefined, topic: TopicImage | undefined): void {
    if (error !== undefined) {
      Object.assign(answer, this.#failed(answer.index, { error: kafkaErrorName(error), topic }));
    }
    this.#withdraws?.delete(answer);
    this.#open -= 1;
    if (this.#open === 0) this.#finish?.(this.#response());
  }

  #failed(
    index: number,
    failure: {
      readonly error: ErrorName;
      readonly topic: TopicImage | undefined;
      readonly message?: string | null;
      readonly recordErrors?: readonly { readonly batchIndex: number; readonly message: string }[];
    },
  ): PartitionAnswer {
    this.#failures += 1;
    const { session, version } = this.#context;
    session.meters.produceError(failure.error);
    const answer: PartitionAnswer = {
      index,
      errorCode: errorCode[failure.error],
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      errorMessage: failure.message ?? null,
      recordErrors: (failure.recordErrors ?? []).map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      })),
    };
    if (failure.error === "NOT_LEADER_OR_FOLLOWER" && version >= leaderHintsFrom) {
      this.#hints ??= new LeaderHints(this.#context);
      const hint = this.#hints.hint(failure.topic?.topicId, index);
      if (hint !== undefined) answer.currentLeader = hint;
    }
    return answer;
  }

  #whenCommitted(): Promise<ProduceResponse> {
    return new Promise((resolve) => {
      const waitMs = Math.min(Math.max(this.#timeoutMs, 0), produceWaitMsMax);
      const cancel = this.#context.services.timers.after(waitMs, () => this.#timeOut());
      this.#finish = (response) => {
        cancel();
        resolve(response);
      };
    });
  }

  /** What is appended stays appended, and may be committed yet: the client cannot know, and tries again. */
  #timeOut(): void {
    const late = [...(this.#withdraws ?? [])];
    for (const [answer, withdraw] of late) {
      withdraw();
      const { baseOffset } = answer;
      Object.assign(answer, this.#failed(answer.index, { error: "REQUEST_TIMED_OUT", topic: undefined }), {
        baseOffset,
      });
    }
    this.#open = 0;
    this.#finish?.(this.#response());
  }

  #endUnanswered(): Unanswered {
    this.#count();
    return this.#failures > 0 ? unansweredAndClosed : unanswered;
  }

  #response(): ProduceResponse {
    this.#count();
    const response: ProduceResponse = { responses: this.#topics };
    return this.#hints === undefined ? response : { ...response, nodeEndpoints: this.#hints.nodes };
  }

  #count(): void {
    const { meters } = this.#context.session;
    meters.produceRequests.add(1);
    meters.produceBytes.add(this.#bytes);
    meters.produceRecords.add(this.#records);
    meters.produceLatency.observe((this.#context.services.clock.monotonicMs() - this.#startedMs) / 1_000);
  }
}

/** Why the request as a whole is refused; each of its partitions is answered with it. */
function refusalOf(request: ProduceRequest): ErrorName | undefined {
  if (request.acks < -1 || request.acks > 1) return "INVALID_REQUIRED_ACKS";
  if (request.transactionalId !== null) return "TRANSACTIONAL_ID_AUTHORIZATION_FAILED";
  const transactional = request.topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => isTransactional(records)),
  );
  return transactional ? "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" : undefined;
}

/** Looks at the first batch only: a request carries one for each partition, and the log refuses others. */
function isTransactional(records: Buffer | null): boolean {
  if (records === null || records.length < batchHeaderBytes) return false;
  return batchView.moveTo(records, 0).isTransactional;
}

export const produceHandler: Handler<typeof produce> = {
  api: produce,
  minVersion: produce.versions.min,
  maxVersion: produce.versions.max,
  pipelined: true,
  // Records are used where they lie; beside them there are some dozen small objects for each partition.
  memoryEstimate: () => requestBytesMin,
  handle: (context, request) => new Production(context, request).run(request),
};
