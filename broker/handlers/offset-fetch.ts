/**
 * OffsetFetch, v1 to v10.
 *
 * What groups have committed: -1 where that is nothing. Topics that are gone are left out when all are asked for.
 *
 * v2 null asks for all, and an error of the group is one of the answer; v7 "only stable" offsets (KIP-447: all are, there
 * are no transactions yet); v8 many groups (KIP-709); v9 member epochs (KIP-848); v10 topic ids.
 *
 * Groups that would make the answer too large are COORDINATOR_LOAD_IN_PROGRESS: clients ask again for them alone. A
 * partition that is named twice is answered once, if what was committed with its offset would be told twice.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type OffsetFetchGroupResponse,
  type OffsetFetchRequest,
  type OffsetFetchRequestGroup,
  type OffsetFetchTopicResponse,
  offsetFetch,
} from "../../shared/kafka/schema/offset-fetch.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { OffsetLookup, Outcome } from "../coordinator/group-requests.ts";
import type { OffsetValue } from "../coordinator/records/offset-value.ts";
import { AnswerBudget } from "./context/answer-budget.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { wireTopicId } from "./context/topic-ids.ts";
import { decodedBytes, groupAnswerItemBytes } from "./limits.ts";

const groupErrorFrom = 2;
const manyGroupsFrom = 8;
const topicIdsFrom = 10;

type Lookup = Outcome<OffsetLookup | undefined>;

export const offsetFetchHandler: Handler<typeof offsetFetch> = {
  api: offsetFetch,
  minVersion: offsetFetch.versions.min,
  maxVersion: offsetFetch.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, request) {
    if (context.version < manyGroupsFrom) return oneGroup(context, request);
    const budget = new AnswerBudget();
    return { groups: request.groups.map((group) => groupWithin(budget, context, group)) };
  },
};

function lookUp({ services, session }: RequestContext, groupId: string): Lookup {
  const name = namedGroup(session, groupId, { mayBeEmpty: true });
  return typeof name === "string" ? { kind: "failed", error: name } : services.groups.offsets(name);
}

function oneGroup(context: RequestContext, { groupId, topics }: OffsetFetchRequest) {
  const found = lookUp(context, groupId);
  const { tenant } = context.session;
  if (found.kind === "failed" && context.version >= groupErrorFrom) {
    return { topics: [], errorCode: errorCode[found.error] };
  }
  const error = found.kind === "failed" ? found.error : "NONE";
  const offsets = found.kind === "done" ? found.value : undefined;
  if (topics === null) {
    const all = allOffsets(context, offsets).map(([topic, partitions]) => ({ name: topic.name, partitions }));
    return { topics: all, errorCode: errorCode.NONE };
  }
  const told = new Set<OffsetValue>();
  const answers: OffsetFetchTopicResponse[] = topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) =>
      askedPartition(index, committed(tenant.topic(name), offsets, index), error, told),
    ),
  }));
  return { topics: answers, errorCode: errorCode.NONE };
}

function groupWithin(
  budget: AnswerBudget,
  context: RequestContext,
  group: OffsetFetchRequestGroup,
): OffsetFetchGroupResponse {
  const tooMuch = { groupId: group.groupId, topics: [], errorCode: errorCode.COORDINATOR_LOAD_IN_PROGRESS };
  if (budget.isSpent) return tooMuch;
  const answer = groupAnswer(context, group);
  return budget.admits(bytesOf(answer)) ? answer : tooMuch;
}

function bytesOf({ topics }: OffsetFetchGroupResponse): number {
  let bytes = 0;
  for (const { partitions } of topics ?? []) {
    for (const { metadata } of partitions ?? []) bytes += groupAnswerItemBytes + (metadata?.length ?? 0);
  }
  return bytes;
}

function groupAnswer(context: RequestContext, { groupId, topics }: OffsetFetchRequestGroup): OffsetFetchGroupResponse {
  const found = lookUp(context, groupId);
  if (found.kind === "failed") return { groupId, topics: [], errorCode: errorCode[found.error] };
  const offsets = found.value;
  if (topics === null) {
    const all = allOffsets(context, offsets).map(([topic, partitions]) => ({
      name: topic.name,
      topicId: wireTopicId(topic.topicId),
      partitions,
    }));
    return { groupId, topics: all, errorCode: errorCode.NONE };
  }
  const byId = context.version >= topicIdsFrom;
  const { tenant } = context.session;
  const told = new Set<OffsetValue>();
  const answers = topics.map(({ name, topicId, partitionIndexes }) => {
    const topic = byId ? tenant.topicById(topicId) : tenant.topic(name);
    const error = byId && topic === undefined ? "UNKNOWN_TOPIC_ID" : "NONE";
    const partitions = partitionIndexes.map((index) =>
      askedPartition(index, committed(topic, offsets, index), error, told),
    );
    return { name, topicId, partitions };
  });
  return { groupId, topics: answers, errorCode: errorCode.NONE };
}

function allOffsets({ session }: RequestContext, offsets: OffsetLookup | undefined) {
  return [...(offsets?.topicIds() ?? [])].flatMap((topicId) => {
    const topic = session.tenant.ownTopic(topicId);
    if (topic === undefined || offsets === undefined) return [];
    const partitions = [...offsets.ofTopic(topicId)].map(([index, value]) => partitionAnswer(index, value, "NONE"));
    return [[topic, partitions] as const];
  });
}

function committed(
  topic: TopicImage | undefined,
  offsets: OffsetLookup | undefined,
  partition: number,
): OffsetValue | undefined {
  return topic && offsets?.get(topic.topicId, partition);
}

function askedPartition(index: number, value: OffsetValue | undefined, error: ErrorName, told: Set<OffsetValue>) {
  if (value !== undefined && value.metadata !== "") {
    if (told.has(value)) return partitionAnswer(index, undefined, "INVALID_REQUEST");
    told.add(value);
  }
  return partitionAnswer(index, value, error);
}

function partitionAnswer(partitionIndex: number, value: OffsetValue | undefined, error: ErrorName) {
  return {
    partitionIndex,
    committedOffset: value?.offset ?? -1,
    committedLeaderEpoch: value?.leaderEpoch ?? -1,
    metadata: value?.metadata ?? "",
    errorCode: errorCode[error],
  };
}
