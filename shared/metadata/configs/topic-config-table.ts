/**
 * All topic configurations of Kafka 4.x, with the broker configuration that gives each its default.
 *
 * Everything that Kafka's validators take is taken, except two promises that nobody would keep: unclean elections (an
 * unclean leader loses acknowledged records: DESIGN section 5) and switching the object tier by topic. They are refused with
 * a clear message; clients that only restate the defaults get through.
 */
import { between, type ConfigDefinition, listItems, longMax, oneOf } from "./config-definition.ts";

export interface TopicConfigDefinition extends ConfigDefinition {
  /** The cell's configuration that is the default of all topics; undefined when there is none. */
  readonly brokerSynonym: string | undefined;
}

const int32Max = 2 ** 31 - 1;
const gzipLevels = (value: string) => (value === "-1" ? undefined : between(1, 9)(value));

function cleanupPolicyFault(value: string): string | undefined {
  const policies = listItems(value);
  if (policies.length === 0 || policies.some((policy) => policy !== "delete" && policy !== "compact")) {
    return "must be delete, compact or both";
  }
  return undefined;
}

const notYet = (allowed: string, why: string) => (value: string) => (value === allowed ? undefined : why);

/** `[name, type, default, broker synonym, documentation, check]`. */
type Row = readonly [string, ConfigDefinition["type"], string, string | undefined, string, ConfigDefinition["check"]?];

const rows: readonly Row[] = [
  [
    "cleanup.policy",
    "LIST",
    "delete",
    "log.cleanup.policy",
    "What becomes of old segments: delete, compact (of each key its newest record is kept), or both.",
    cleanupPolicyFault,
  ],
  [
    "compression.gzip.level",
    "INT",
    "-1",
    "compression.gzip.level",
    "Level when the broker compresses with gzip; -1 is the library's default.",
    gzipLevels,
  ],
  [
    "compression.lz4.level",
    "INT",
    "9",
    "compression.lz4.level",
    "Level when the broker compresses with lz4.",
    between(1, 17),
  ],
  [
    "compression.type",
    "STRING",
    "producer",
    "compression.type",
    "Compression of stored batches; producer keeps what the producer chose.",
    oneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
  ],
  [
    "compression.zstd.level",
    "INT",
    "3",
    "compression.zstd.level",
    "Level when the broker compresses with zstd.",
    between(-131072, 22),
  ],
  [
    "delete.retention.ms",
    "LONG",
    "86400000",
    "log.cleaner.delete.retention.ms",
    "How long tombstones are kept after compaction has met them: a reader from the start that takes no longer misses none.",
    between(0),
  ],
  [
    "file.delete.delay.ms",
    "LONG",
    "60000",
    "log.segment.delete.delay.ms",
    "Without effect: a deleted segment leaves the disk at once.",
    between(0),
  ],
  [
    "flush.messages",
    "LONG",
    longMax,
    "log.flush.interval.messages",
    "Without effect: replicas flush at least every second, and commits are by quorum.",
    between(1),
  ],
  [
    "flush.ms",
    "LONG",
    longMax,
    "log.flush.interval.ms",
    "Without effect: replicas flush at least every second, and commits are by quorum.",
    between(0),
  ],
  [
    "follower.replication.throttled.replicas",
    "LIST",
    "",
    undefined,
    "Without effect: catch-up of followers is bounded by the cell itself.",
  ],
  [
    "index.interval.bytes",
    "INT",
    "4096",
    "log.index.interval.bytes",
    "Bytes of records between two entries of the offset index.",
    between(0),
  ],
  [
    "leader.replication.throttled.replicas",
    "LIST",
    "",
    undefined,
    "Without effect: catch-up of followers is bounded by the cell itself.",
  ],
  [
    "local.retention.bytes",
    "LONG",
    "-2",
    "log.local.retention.bytes",
    "Without effect until there is an object tier: bytes kept on brokers; -2 follows retention.bytes.",
    between(-2),
  ],
  [
    "local.retention.ms",
    "LONG",
    "-2",
    "log.local.retention.ms",
    "Without effect until there is an object tier: time kept on brokers; -2 follows retention.ms.",
    between(-2),
  ],
  [
    "max.compaction.lag.ms",
    "LONG",
    longMax,
    "log.cleaner.max.compaction.lag.ms",
    "After so long a compacted topic's segment is sealed and compacted, however small the dirty part.",
    between(1),
  ],
  ["max.message.bytes", "INT", "1048588", "message.max.bytes", "Largest record batch, after compression.", between(0)],
  [
    "message.timestamp.after.max.ms",
    "LONG",
    "3600000",
    "log.message.timestamp.after.max.ms",
    "How far a record's time may lie after the broker's.",
    between(0),
  ],
  [
    "message.timestamp.before.max.ms",
    "LONG",
    longMax,
    "log.message.timestamp.before.max.ms",
    "How far a record's time may lie before the broker's.",
    between(0),
  ],
  [
    "message.timestamp.type",
    "STRING",
    "CreateTime",
    "log.message.timestamp.type",
    "Whose time a record carries: the producer's or the broker's.",
    oneOf("CreateTime", "LogAppendTime"),
  ],
  [
    "min.cleanable.dirty.ratio",
    "DOUBLE",
    "0.5",
    "log.cleaner.min.cleanable.ratio",
    "Share of the part that was not compacted yet, in bytes, above which a log is compacted.",
    between(0, 1),
  ],
  [
    "min.compaction.lag.ms",
    "LONG",
    "0",
    "log.cleaner.min.compaction.lag.ms",
    "Records younger than this are not compacted.",
    between(0),
  ],
  [
    "min.insync.replicas",
    "INT",
    "2",
    "min.insync.replicas",
    "Replicas that must have a write of acks=all before it is answered; a majority is always needed.",
    between(1),
  ],
  ["preallocate", "BOOLEAN", "false", "log.preallocate", "Without effect: segment files grow as they are written."],
  [
    "remote.log.copy.disable",
    "BOOLEAN",
    "false",
    undefined,
    "Always false: the object tier is not switched by topic.",
    notYet("false", "the object tier cannot be switched by topic"),
  ],
  [
    "remote.log.delete.on.disable",
    "BOOLEAN",
    "false",
    undefined,
    "Always false: the object tier is not switched by topic.",
    notYet("false", "the object tier cannot be switched by topic"),
  ],
  [
    "remote.storage.enable",
    "BOOLEAN",
    "false",
    undefined,
    "Always false: the object tier is not switched by topic.",
    notYet("false", "the object tier cannot be switched by topic"),
  ],
  [
    "retention.bytes",
    "LONG",
    "-1",
    "log.retention.bytes",
    "Bytes of a partition that are kept; -1 is no limit.",
    between(-1),
  ],
  ["retention.ms", "LONG", "604800000", "log.retention.ms", "How long records are kept; -1 is for ever.", between(-1)],
  [
    "segment.bytes",
    "INT",
    "1073741824",
    "log.segment.bytes",
    "Size at which a segment is sealed.",
    between(1024 * 1024, int32Max),
  ],
  [
    "segment.index.bytes",
    "INT",
    "10485760",
    "log.index.size.max.bytes",
    "Without effect: an index has at most 1,048,576 entries.",
    between(4),
  ],
  [
    "segment.jitter.ms",
    "LONG",
    "0",
    "log.roll.jitter.ms",
    "Without effect: segments are sealed when segment.ms says.",
    between(0),
  ],
  [
    "segment.ms",
    "LONG",
    "604800000",
    "log.roll.ms",
    "Age at which a segment is sealed; idle partitions are sealed within 10 minutes whatever it says.",
    between(1),
  ],
  [
    "unclean.leader.election.enable",
    "BOOLEAN",
    "false",
    "unclean.leader.election.enable",
    "Always false: a leader holds every acknowledged record.",
    notYet("false", "unclean leader election is not offered"),
  ],
];

export const topicConfigTable: ReadonlyMap<string, TopicConfigDefinition> = new Map(
  rows.map(([name, type, defaultValue, brokerSynonym, documentation, check]) => [
    name,
    { name, type, default: defaultValue, brokerSynonym, documentation, ...(check === undefined ? {} : { check }) },
  ]),
);
