/**
 * OffsetCommit, v2 to v10.
 *
 * Answered when a quorum has the offsets; the next commit of a connection is appended meanwhile, in order. Each partition
 * is answered for itself where the topic is unknown or the metadata too long; what the group refuses (an old generation,
 * say) is the answer for all others.
 *
 * v5 no retention of its own any more (KIP-211); v7 static members (KIP-345); v9 member epochs of KIP-848, whose groups
 * are not served yet; v10 topic ids (KIP-848).
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type OffsetCommitRequest,
  type OffsetCommitTopic,
  offsetCommit,
} from "../../shared/kafka/schema/offset-commit.ts";
import { effectiveCellValue } from "../../shared/metadata/configs/effective-config.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { CommittedOffset } from "../coordinator/offsets/group-offsets.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const topicIdsFrom = 10;

export const offsetCommitHandler: Handler<typeof offsetCommit> = {
  api: offsetCommit,
  minVersion: offsetCommit.versions.min,
  maxVersion: offsetCommit.versions.max,
  memoryEstimate: decodedBytes,
  pipelined: true,
  async handle(context, request) {
    const { clock } = context.services;
    const { meters } = context.session;
    const startedMs = clock.monotonicMs();
    const offsets: CommittedOffset[] = [];
    const refusals = request.topics.map((topic) => checkTopic(context, request, topic, offsets));
    const error = await commit(context, request, offsets);
    meters.offsetCommits.add(1);
    meters.offsetCommitLatency.observe((clock.monotonicMs() - startedMs) / 1_000);
    return {
      topics: request.topics.map(({ name, topicId, partitions }, topicIndex) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }, index) => ({
          partitionIndex,
          errorCode: errorCode[refusals[topicIndex]?.[index] ?? error],
        })),
      })),
    };
  },
};

function commit(
  { services, session }: RequestContext,
  request: OffsetCommitRequest,
  offsets: readonly CommittedOffset[],
): Promise<ErrorName> {
  const name = namedGroup(session, request.groupId, { mayBeEmpty: true });
  if (typeof name === "string") return Promise.resolve(name);
  const { memberId, generationIdOrMemberEpoch: generationId, groupInstanceId } = request;
  return services.groups.commit(name, { memberId, generationId, groupInstanceId, offsets });
}

/** Why each partition cannot be committed, undefined where it can; those are added to `offsets`. */
function checkTopic(
  { services, session, version }: RequestContext,
  { retentionTimeMs }: OffsetCommitRequest,
  asked: OffsetCommitTopic,
  offsets: CommittedOffset[],
): (ErrorName | undefined)[] {
  const byId = version >= topicIdsFrom;
  const topic = byId ? session.tenant.topicById(asked.topicId) : session.tenant.topic(asked.name);
  const metadataBytesMax = Number(effectiveCellValue("offset.metadata.max.bytes", services.image().cellConfigs));
  const commitMs = services.clock.wallMs();
  return asked.partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
    if (topic === undefined && byId) return "UNKNOWN_TOPIC_ID";
    if (!hasPartition(topic, partitionIndex)) return "UNKNOWN_TOPIC_OR_PARTITION";
    const metadata = committedMetadata ?? "";
    if (Buffer.byteLength(metadata) > metadataBytesMax) return "OFFSET_METADATA_TOO_LARGE";
    offsets.push({
      topicId: topic.topicId,
      partition: partitionIndex,
      value: {
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        commitMs,
        expireMs: retentionTimeMs < 0 ? -1 : commitMs + retentionTimeMs,
        metadata,
      },
    });
    return undefined;
  });
}

function hasPartition(topic: TopicImage | undefined, partition: number): topic is TopicImage {
  return topic?.partitions[partition] !== undefined;
}
