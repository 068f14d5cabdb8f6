/** Limits of coordinators. Times in milliseconds, sizes in bytes. */

/** What is committed this late is answered as not available (Kafka's offsets.commit.timeout.ms); it may commit yet. */
export const commitMsMax = 5_000;
/** Records of one append, unless one alone is larger. */
export const appendBytesMax = 1_048_576;
/**
 * A group's state is one record, and an append may be this large at most: the internal topic's max.message.bytes without
 * the batch's own header. Some 8,000 members of 1 KiB each.
 */
export const recordBytesMax = 8_388_608 - 1_024;
/** Bytes of records of one shard that are appended and not committed, or about to be; beyond it changes are refused. */
export const uncommittedBytesMax = 33_554_432;
/** Offsets that one change deletes: a group of many is taken away in several. */
export const tombstonesPerAppend = 1_000;
/** One read of a partition that is loaded, and so what is replayed between two turns of the event loop: some 4,000 offsets. */
export const loadReadBytesMax = 262_144;
/** A partition that may not serve yet, or could not be read, is looked at again after this. */
export const loadRetryMs = 25;
/** Nothing is looked at for being due more often than this. */
export const tickMsMin = 10;
/** Groups and offsets that are due to go are looked for this often (Kafka's offsets.retention.check.interval.ms). */
export const expiryIntervalMs = 600_000;
/** Offsets looked at in one turn of the event loop, when those due to go are looked for. */
export const expiryOffsetsPerTurn = 10_000;
/** How long a look-up waits for the internal topic to be made. */
export const ensureTopicMsMax = 5_000;
/** Groups of one tenant on one coordinating broker: nobody fills a broker's memory with names. */
export const groupsPerTenantMax = 50_000;
/**
 * State of one tenant's groups on one coordinating broker: ids and metadata of members, assignments, committed offsets. What
 * would make it grow beyond this is refused. The most groups that a tenant may have fit in while they are small; 1,000 groups
 * of three members take less than a tenth of it, and so do 50,000 offsets.
 */
export const stateBytesPerTenantMax = 134_217_728;
/** Heap of a group in that count, beside its name and what is in it: an object, a state machine, and a dozen tables. */
export const groupHeapBytes = 2_048;
/** Heap of a committed offset in that count, beside its metadata: an object, its numbers, and its place among others. */
export const offsetHeapBytes = 256;

if (appendBytesMax > uncommittedBytesMax || recordBytesMax > uncommittedBytesMax)
  throw new Error("an append must fit into what a shard may have under way");
