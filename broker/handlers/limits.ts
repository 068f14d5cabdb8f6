/** Bounds of what handlers do for one request. Sizes of what clients send are bounded by the frame and the codec. */

/** Heap that a decoded request takes for each byte of its frame, at worst: arrays of tiny structs (measured 30 to 45). */
export const decodedBytesPerFrameByte = 48;
/** What any request costs, however small. */
export const requestBytesMin = 1_024;
/** No estimate is larger: the codec refuses messages with more elements than that takes (`messageElementsMax`). */
export const decodedBytesMax = 67_108_864;

/** Longest wait for a quorum that a producer may ask for (its timeout.ms): no request is held for ever. */
export const produceWaitMsMax = 600_000;

/** Heap of a fetch that waits, for each byte of its frame: some 400 bytes for the 30 that name a partition. */
export const fetchBytesPerFrameByte = 14;
/** Heap of a JoinGroup or SyncGroup, for each byte of its frame: an assignment is 100 bytes of objects and 40 on the wire. */
export const groupBytesPerFrameByte = 4;
/** Longest long poll that a consumer may ask for (fetch.max.wait.ms). */
export const fetchWaitMsMax = 600_000;
/** Record bytes of one fetch response, whatever the cell's fetch.max.bytes says: Kafka's default. */
export const fetchResponseBytesMax = 57_671_680;
/**
 * Even with the broker's memory used up a fetch may carry this much, or consumers would stop; one response at a time
 * for each connection, so 10,000 connections can hold 2.5 GiB only if every one of them reads old data at once, which
 * the log's own cache of file reads then bounds.
 */
export const fetchResponseBytesMin = 262_144;
/** Reads of files that one fetch has under way; the partitions beyond wait for the next fetch. */
export const fetchReadsMax = 16;
/** A fetch that was woken for less than its min.bytes looks again no sooner: many small appends are read once. */
export const fetchRecheckMs = 5;
/** A session's partitions are all looked at this often, in case something changed without telling. */
export const fetchSessionScanMs = 5_000;

/** Sessions of all tenants on this broker (max.incremental.fetch.session.cache.slots). */
export const fetchSessionsMax = 2_000;
/** Of one tenant: nobody can push out everybody else's. */
export const fetchSessionsPerTenantMax = 1_000;
/** Partitions in all sessions: 20,000 partitions read by 10 groups; some 500 bytes each, so 100 MB were they all in use. */
export const fetchSessionPartitionsMax = 200_000;
/** Kafka's bound on topic names: no session remembers a longer one. */
export const topicNameCharactersMax = 249;
/** A session unused for so long ends; one that is older than this may be replaced by a larger one. */
export const fetchSessionEvictionMs = 120_000;

/** How long a Metadata request waits for the topics that it creates, before it answers LEADER_NOT_AVAILABLE. */
export const autoCreateWaitMs = 2_000;
/** Topics that one Metadata request may create. */
export const autoCreateTopicsMax = 100;
/** A change is given at least this long: a shorter wish would only make its outcome unknown. */
export const adminWaitMsMin = 1_000;
/** Changes without a timeout of their own (configurations). */
export const configChangeWaitMs = 30_000;
/** Longest time that an administrative request may ask for (its timeout.ms). */
export const adminWaitMsMax = 300_000;
/** Partitions in a page of DescribeTopicPartitions (max.request.partition.size.limit). */
export const describedPartitionsMax = 2_000;
/** Partitions that ListOffsets looks up at the same time: each may read an index and a segment. */
export const offsetLookUpsMax = 16;

/** The usual estimate of a handler: the request decoded, and a response of about the same size. */
export function decodedBytes(frameBytes: number): number {
  return Math.min(requestBytesMin + frameBytes * decodedBytesPerFrameByte, decodedBytesMax);
}
/**
 * Produce and ListOffsets wait at most so long for a leadership to begin here, ListOffsets also for one that just began,
 * at which it looks this often. Milliseconds.
 */
export const leaderReadinessWaitMs = 1_000;
export const leaderReadinessPollMs = 10;
/** One request waits no longer, for however many partitions. */
export const requestWaitsMsMax = 2 * leaderReadinessWaitMs;
/** Produce to a topic that this broker does not know waits so long for a look at the metadata log. */
export const topicLookMsMax = 500;
/** After one that brought nothing, a client whose topic is unknown is refused at once for so long. */
export const topicLookPauseMs = 10_000;

/** Groups that one FindCoordinator may look for. */
export const coordinatorKeysMax = 10_000;
/**
 * Bytes of one answer of DescribeGroups or OffsetFetch about several groups, the first in any case. Those that do not fit
 * are COORDINATOR_LOAD_IN_PROGRESS: clients ask again for them alone.
 */
export const groupAnswerBytesMax = 16_777_216;
/** Heap of a member or an offset in such an answer, beside its names and bytes. */
export const groupAnswerItemBytes = 256;
/** Characters of a client's or instance's name in the id of a member: Kafka's clients allow no longer instance ids. */
export const memberNameCharactersMax = 249;

/**
 * What waits in a group may wait for minutes, and every member of a large group at once: beside its frame it holds copies
 * of what it handed in, and some objects a protocol or assignment.
 */
export function groupRequestBytes(frameBytes: number): number {
  return requestBytesMin + frameBytes * groupBytesPerFrameByte;
}
