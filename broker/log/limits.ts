/**
 * Bounds of the log: every queue, cache and loop of `broker/log`. Bytes, milliseconds and counts, as the names say.
 */
import assert from "node:assert/strict";

/** The sum of chunks that one write takes: larger ones wait for the next write. Keeps one log from holding a thread long. */
export const writeBytesMax = 4 * 1024 * 1024;

/** Buffers in one write: the kernel's IOV_MAX. */
export const writeBuffersMax = 1024;

/** Writes of all logs in flight; further logs wait and gather more (docs/adr/0003, rule 2). */
export const writesInFlightMax = 4;

/**
 * Bytes that wait for the disk, of all logs, above which a leader takes no more: half a second of the fastest traffic. While
 * its followers write, producers have their answers, and nothing else would bound what a leader with a stopped disk holds.
 */
export const unwrittenBytesMax = 64 * 1024 * 1024;

/**
 * Memory, broker-wide, for the newest chunks of all logs: what followers and tail consumers read without the disk. A
 * broker that takes 50 MB/s keeps a quarter of a second; what fell out is still in the page cache.
 */
export const tailCacheBytesDefault = 12 * 1024 * 1024;

/** Memory, broker-wide, for the indexes of sealed segments; one of a full 1 GiB segment takes 4 MiB. */
export const indexCacheBytesMax = 32 * 1024 * 1024;

/** Open segment files, broker-wide. With sockets and the rest it stays below the usual 1024 descriptors a process. */
export const openFilesMax = 512;

/** One read for a consumer or a follower, unless a single batch is larger. */
export const diskReadBytesMax = 4 * 1024 * 1024;

/** Block in which batch headers are walked (recovery, index rebuild, time look-up). */
export const scanBlockBytes = 256 * 1024;

/**
 * Largest batch that a log takes or believes in: Kafka's default `socket.request.max.bytes`, which no produce request
 * exceeds. A length field above it is corruption.
 */
export const batchBytesMax = 100 * 1024 * 1024;

/** Positions are 31 bits, as in Kafka (`segment.bytes` is an int32). */
export const segmentBytesMax = 2_147_483_647;

/** Offsets in a segment are kept as 32-bit differences to its base; Kafka's bound is an int32 as well. */
export const segmentOffsetsMax = 2_147_483_647;

/** Entries of one segment's index: 1 GiB at Kafka's default interval of 4 KiB makes 262,144. */
export const indexEntriesMax = 1_048_576;

/**
 * Bytes after the last checkpoint that make the next sync write one. Bounds what recovery scans a log: 64 MiB take some
 * 30 ms. A checkpoint costs two more flushes, so it is not written with every sync.
 */
export const checkpointBytes = 64 * 1024 * 1024;

/**
 * Bytes of a growing segment that its index file may lack when a checkpoint is written. What it lacks is walked again
 * after a restart, when somebody asks for it.
 */
export const indexSaveBytes = 1024 * 1024;

/**
 * Idempotent producers remembered in one partition, some 300 bytes each; past it those not seen for longest go first, a
 * tenth at a time. A producer that was forgotten may go on with any sequence number, as in Kafka.
 */
export const producersPerPartitionMax = 10_000;

/** Batches remembered of each producer: a client may have five produce requests in flight, and repeat any of them. */
export const batchesPerProducer = 5;

/** `producer.id.expiration.ms` of Kafka: a producer that was not seen for so long is forgotten. */
export const producerExpirationMsDefault = 86_400_000;

assert(writeBytesMax >= scanBlockBytes, "a write is at least a block");
assert(batchBytesMax < segmentBytesMax, "the largest batch fits in a segment");
assert(tailCacheBytesDefault >= writeBytesMax, "the tail holds at least what one write takes");
