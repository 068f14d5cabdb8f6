/**
 * Metadata, v0 to v13.
 *
 * The brokers that are alive, by the endpoints of the listener through which the client came; the tenant's topics (all,
 * by name, or by id), their partitions and leaders. A topic that does not exist is created when the client allows it and
 * the cell's `auto.create.topics.enable` is on; the answer waits a moment for that, then says LEADER_NOT_AVAILABLE, on
 * which clients ask again.
 *
 * v0: an empty list means all topics, later null does. v1 controller and racks; v2 cluster id (the logical cluster's);
 * v4 allow.auto.create.topics; v5 offline replicas; v7 leader epochs; v8 authorized operations (KIP-430); v10 topic ids
 * (KIP-516); v11 without the cluster's operations; v12 look-up by id; v13 a top-level error (KIP-1102), always 0 here.
 */
import { ZERO_UUID } from "../../shared/kafka/codec/uuid.ts";
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type MetadataRequest,
  type MetadataResponse,
  type MetadataTopic,
  metadata,
} from "../../shared/kafka/schema/metadata.ts";
import { topicNameFault } from "../../shared/metadata/commands/topic-name.ts";
import { effectiveCellValue } from "../../shared/metadata/configs/effective-config.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import { clusterOperations, operationsNotAsked, topicOperations } from "./context/authorized-operations.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { PartitionDescriber } from "./context/partition-describer.ts";
import { wireTopicId } from "./context/topic-ids.ts";
import { autoCreateTopicsMax, autoCreateWaitMs, decodedBytes } from "./limits.ts";

const byIdFrom = 12;

type AskedTopics = NonNullable<MetadataRequest["topics"]>;
/** What creating a topic came to, by its name. */
type Outcomes = ReadonlyMap<string, ErrorName>;

const nothingCreated: Outcomes = new Map();

export const metadataHandler: Handler<typeof metadata> = {
  api: metadata,
  minVersion: metadata.versions.min,
  maxVersion: metadata.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, request) {
    const asked = askedTopics(context, request);
    const missing = asked === undefined ? [] : missingNames(context, request, asked);
    if (missing.length === 0) return respond(context, request, { asked, outcomes: nothingCreated });
    return create(context, missing).then((outcomes) => respond(context, request, { asked, outcomes }));
  },
};

/** undefined: all topics. Each once, as in Kafka: a large topic named again and again would take all memory. */
function askedTopics({ version }: RequestContext, { topics }: MetadataRequest): AskedTopics | undefined {
  if (topics === null || (version === 0 && topics.length === 0)) return undefined;
  const distinct = new Map(topics.map((topic) => [`${topic.topicId} ${topic.name ?? ""}`, topic]));
  return [...distinct.values()];
}

/** Names to create, each once. */
function missingNames(context: RequestContext, request: MetadataRequest, asked: AskedTopics): string[] {
  const { cellConfigs } = context.services.image();
  const allowed =
    request.allowAutoTopicCreation && effectiveCellValue("auto.create.topics.enable", cellConfigs) === "true";
  if (!allowed) return [];
  const { tenant } = context.session;
  const missing = new Set<string>();
  for (const { name } of asked) {
    if (name !== null && tenant.topic(name) === undefined && topicNameFault(name) === undefined) missing.add(name);
  }
  return [...missing].slice(0, autoCreateTopicsMax);
}

async function create({ services, session }: RequestContext, names: readonly string[]): Promise<Outcomes> {
  const { lkc } = session.tenant;
  if (lkc === undefined) return nothingCreated;
  const topics = names.map((name) => ({ name, partitions: -1, replicationFactor: -1, configs: {} }));
  const result = await services.submit({ kind: "create-topics", lkc, topics, validateOnly: false }, autoCreateWaitMs);
  const outcomes = new Map<string, ErrorName>();
  if (result.kind === "done") {
    for (const topic of result.reply.topics) {
      if (topic.kind === "failed") outcomes.set(topic.name, topic.error);
    }
  } else {
    // It may have been created, or may be soon: the client asks again.
    for (const name of names) outcomes.set(name, "LEADER_NOT_AVAILABLE");
  }
  return outcomes;
}

function respond(
  context: RequestContext,
  request: MetadataRequest,
  { asked, outcomes }: { readonly asked: AskedTopics | undefined; readonly outcomes: Outcomes },
): MetadataResponse {
  const { tenant, listener } = context.session;
  const describer = new PartitionDescriber(context);
  const describe = (topic: TopicImage): MetadataTopic => ({
    errorCode: errorCode.NONE,
    name: topic.name,
    topicId: wireTopicId(topic.topicId),
    partitions: describer.all(topic),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations ? topicOperations : operationsNotAsked,
  });
  const topics =
    asked === undefined
      ? Array.from(tenant.topics(), describe)
      : asked.map((wanted) => answerTopic(context, wanted, { describe, outcomes }));
  return {
    brokers: describer.brokers.map(({ brokerId, host, port, zone }) => ({ nodeId: brokerId, host, port, rack: zone })),
    clusterId: tenant.clusterId,
    controllerId: tenant.controllerId(listener),
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : operationsNotAsked,
  };
}

function answerTopic(
  { session: { tenant }, version }: RequestContext,
  { name, topicId }: AskedTopics[number],
  { describe, outcomes }: { readonly describe: (topic: TopicImage) => MetadataTopic; readonly outcomes: Outcomes },
): MetadataTopic {
  const refuse = (error: ErrorName): MetadataTopic => ({ errorCode: errorCode[error], name, topicId, partitions: [] });
  if (name === null) {
    // v10 and v11 carry ids, but cannot be asked by them.
    if (version < byIdFrom) return { ...refuse("INVALID_REQUEST"), name: "" };
    if (topicId === ZERO_UUID) return refuse("INVALID_REQUEST");
    const topic = tenant.topicById(topicId);
    return topic === undefined ? refuse("UNKNOWN_TOPIC_ID") : describe(topic);
  }
  const topic = tenant.topic(name);
  if (topic !== undefined) return describe(topic);
  if (topicNameFault(name) !== undefined) return refuse("INVALID_TOPIC_EXCEPTION");
  return refuse(outcomes.get(name) ?? "UNKNOWN_TOPIC_OR_PARTITION");
}
