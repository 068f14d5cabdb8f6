/**
 * Fetch, v4 to v18.
 *
 * Reads whole record batches of partitions led here, up to the high watermark (or the last stable offset for
 * read_committed), waiting up to max.wait for min.bytes. At least one batch comes back however small the limits
 * (KIP-74). With a session (v7, KIP-227) the client names only what changed and is told only what changed; partitions
 * take turns, so that none starves behind small responses.
 *
 * v5 log start offset; v7 sessions; v9 leader epoch fencing (KIP-320); v11 the consumer's rack (accepted, ignored:
 * followers do not serve reads); v12 diverging epochs (KIP-595); v13 topic ids (KIP-516); v15 replica state in a tag;
 * v16 the new leader's endpoint (KIP-951); v17 and v18 fields of replicas only.
 *
 * Replication does not use this API: a request that says it comes from a replica is refused with
 * TOPIC_AUTHORIZATION_FAILED in each partition, as Kafka answers a client without cluster rights.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type FetchPartitionData,
  type FetchRequest,
  type FetchResponse,
  type FetchTopicResponse,
  fetch,
} from "../../shared/kafka/schema/fetch.ts";
import { effectiveCellValue } from "../../shared/metadata/configs/effective-config.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { LeaderHints } from "./context/leader-hints.ts";
import { FetchPartition } from "./fetch/fetch-partition.ts";
import { FetchRound } from "./fetch/fetch-round.ts";
import { type FetchSession, nextEpoch } from "./fetch/fetch-session.ts";
import type { FetchSessions } from "./fetch/fetch-sessions.ts";
import { PartitionLook } from "./fetch/partition-look.ts";
import { PartitionQueue } from "./fetch/partition-queue.ts";
import {
  fetchBytesPerFrameByte,
  fetchResponseBytesMax,
  fetchResponseBytesMin,
  fetchSessionScanMs,
  fetchWaitMsMax,
  requestBytesMin,
  topicNameCharactersMax,
} from "./limits.ts";

const topicIdsFrom = 13;
const readCommitted = 1;
/** Session epochs with a meaning (KIP-227): begin a session, and do without (or end) one. */
const initialEpoch = 0;
const finalEpoch = -1;

/** Which partitions a request is about. */
type Scope =
  | { readonly kind: "refused"; readonly error: ErrorName }
  | { readonly kind: "full"; readonly queue: PartitionQueue; readonly session: FetchSession | undefined }
  | { readonly kind: "incremental"; readonly queue: PartitionQueue; readonly session: FetchSession };

export function createFetchHandler(sessions: FetchSessions): Handler<typeof fetch> {
  return {
    api: fetch,
    minVersion: fetch.versions.min,
    maxVersion: fetch.versions.max,
    // Records in memory are shared with the log; the response is counted when it is queued.
    memoryEstimate: (frameBytes) => requestBytesMin + frameBytes * fetchBytesPerFrameByte,
    handle(context, request) {
      if (isFromReplica(request)) return refuseAll(request, "TOPIC_AUTHORIZATION_FAILED");
      const scope = chooseScope(context, request, sessions);
      if (scope.kind === "refused") return { errorCode: errorCode[scope.error], sessionId: 0, responses: [] };
      return serve(context, request, scope);
    },
  };
}

function isFromReplica(request: FetchRequest): boolean {
  return request.replicaId >= 0 || request.replicaState.replicaId >= 0;
}

function chooseScope(context: RequestContext, request: FetchRequest, sessions: FetchSessions): Scope {
  const { lkc } = context.session.tenant;
  if (lkc === undefined) return { kind: "refused", error: "UNKNOWN_SERVER_ERROR" };
  const old = request.sessionId === 0 ? undefined : sessions.find(lkc, request.sessionId);
  if (request.sessionEpoch === finalEpoch) {
    if (old !== undefined) sessions.close(old);
    return withoutSession(request);
  }
  if (request.sessionEpoch === initialEpoch) {
    if (old !== undefined) sessions.close(old);
    return beginSession(context, request, sessions) ?? withoutSession(request);
  }
  if (old === undefined) return { kind: "refused", error: "FETCH_SESSION_ID_NOT_FOUND" };
  return continueSession(context, request, { sessions, session: old });
}

function withoutSession(request: FetchRequest): Scope {
  const queue = new PartitionQueue();
  for (const topic of request.topics) {
    const key = { topic: topic.topic, topicId: topic.topicId };
    for (const asked of topic.partitions) queue.mark(new FetchPartition(key, asked, queue));
  }
  return { kind: "full", queue, session: undefined };
}

function beginSession(context: RequestContext, request: FetchRequest, sessions: FetchSessions): Scope | undefined {
  const { lkc } = context.session.tenant;
  const partitions = request.topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
  if (lkc === undefined || partitions === 0 || !hasSaneNames(request)) return undefined;
  const nowMs = context.services.clock.monotonicMs();
  const byTopicId = context.version >= topicIdsFrom;
  const session = sessions.create({ lkc, byTopicId, partitions, nowMs });
  if (session === undefined) return undefined;
  if (!sessions.use(session, nowMs, () => session.update(request.topics))) return undefined;
  return { kind: "full", queue: session.queue, session };
}

function continueSession(
  context: RequestContext,
  request: FetchRequest,
  { sessions, session }: { readonly sessions: FetchSessions; readonly session: FetchSession },
): Scope {
  if (session.byTopicId !== context.version >= topicIdsFrom) {
    return { kind: "refused", error: "FETCH_SESSION_TOPIC_ID_ERROR" };
  }
  if (session.epoch !== request.sessionEpoch) return { kind: "refused", error: "INVALID_FETCH_SESSION_EPOCH" };
  if (!hasSaneNames(request)) return { kind: "refused", error: "INVALID_TOPIC_EXCEPTION" };
  const nowMs = context.services.clock.monotonicMs();
  session.round?.supersede();
  session.epoch = nextEpoch(session.epoch);
  const kept = sessions.use(session, nowMs, () => {
    session.forget(request.forgottenTopicsData);
    session.update(request.topics);
  });
  if (!kept) return { kind: "refused", error: "FETCH_SESSION_ID_NOT_FOUND" };
  if (session.size === 0) {
    // As Kafka: a session without partitions is over, and the client learns it by the session id 0.
    sessions.close(session);
    return { kind: "full", queue: new PartitionQueue(), session: undefined };
  }
  if (nowMs - session.lastScanMs >= fetchSessionScanMs) {
    session.lastScanMs = nowMs;
    session.markAll();
  }
  return { kind: "incremental", queue: session.queue, session };
}

/** Sessions remember names, so they must not be longer than a topic's can be. */
function hasSaneNames(request: FetchRequest): boolean {
  return request.topics.every(({ topic }) => topic.length <= topicNameCharactersMax);
}

function serve(
  context: RequestContext,
  request: FetchRequest,
  scope: Scope & { readonly kind: "full" | "incremental" },
): FetchResponse | Promise<FetchResponse> {
  const startedMs = context.services.clock.monotonicMs();
  const { session: client } = context;
  const hints = new LeaderHints(context);
  const allowedBytes = Math.max(client.responseBytesAllowed(), fetchResponseBytesMin);
  const { cellConfigs } = context.services.image();
  const cellBytes = Math.min(Number(effectiveCellValue("fetch.max.bytes", cellConfigs)), fetchResponseBytesMax);
  const maxBytes = Math.min(Math.max(request.maxBytes, 0), cellBytes, allowedBytes);
  // Without partitions there is nothing to wait for.
  const waitMs = scope.queue.length === 0 && scope.session === undefined ? 0 : request.maxWaitMs;
  const round = new FetchRound({
    context,
    look: new PartitionLook(context, request.isolationLevel === readCommitted, hints),
    queue: scope.queue,
    rules: {
      minBytes: Math.min(request.minBytes, maxBytes),
      maxBytes,
      waitMs: Math.min(waitMs, fetchWaitMsMax),
      keepsWatching: scope.session !== undefined,
    },
  });
  if (scope.session !== undefined) scope.session.round = round;
  const respond = (): FetchResponse => {
    if (scope.session?.round === round) scope.session.round = undefined;
    client.meters.fetchRequests.add(1);
    client.meters.fetchBytes.add(round.bytes);
    client.meters.fetchLatency.observe((context.services.clock.monotonicMs() - startedMs - round.waitedMs) / 1_000);
    if (round.superseded) return { errorCode: errorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [] };
    const response = { sessionId: scope.session?.id ?? 0, responses: gather(round.touched, scope.kind === "full") };
    const nodeEndpoints = hints.nodes;
    return nodeEndpoints.length === 0 ? response : { ...response, nodeEndpoints };
  };
  const waiting = round.run();
  return waiting === undefined ? respond() : waiting.then(respond);
}

/** The answers by topic; in an incremental response only those that are news. */
function gather(touched: readonly FetchPartition[], all: boolean): FetchTopicResponse[] {
  const topics = new Map<string, FetchTopicResponse & { readonly partitions: FetchPartitionData[] }>();
  for (const partition of touched) {
    const { key, answer } = partition;
    if (answer !== undefined && (all || partition.isNews)) {
      const name = key.topic === "" ? key.topicId : key.topic;
      let topic = topics.get(name);
      if (topic === undefined) {
        topic = { topic: key.topic, topicId: key.topicId, partitions: [] };
        topics.set(name, topic);
      }
      topic.partitions.push(answer.data);
      partition.told();
    }
    partition.answer = undefined;
  }
  return [...topics.values()];
}

function refuseAll(request: FetchRequest, error: ErrorName): FetchResponse {
  const responses = request.topics.map((topic) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode: errorCode[error],
      highWatermark: -1,
      abortedTransactions: null,
      records: [],
    })),
  }));
  return { sessionId: 0, responses };
}
