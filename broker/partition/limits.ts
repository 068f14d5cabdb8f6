/** Limits of partitions and their replicas. Times in milliseconds, sizes in bytes. */
import { peerSilenceMs } from "../peer/limits.ts";

/** A voter that has not been caught up for this long is not reported in sync (Kafka's replica.lag.time.max.ms is 30 s). */
export const replicaLagMsMax = 10_000;
/**
 * A leader answers reads while a majority followed it at most this long ago. Not longer than the silence after which a
 * successor is elected, so that a stopped leader that wakes up serves nothing old.
 */
export const readLeaseMs = peerSilenceMs;
/**
 * An attach that was not answered is tried again, each time after twice as long: a slow disk may need the time, and a new
 * attach voids the one that it works on.
 */
export const attachRetryMsMin = 1_000;
export const attachRetryMsMax = 16_000;
/**
 * An attach refused for no newer epoch is tried again, after twice as long each time until the replica makes progress: the
 * peer may be about to read the topic's record, or its log has failed and is opened again.
 */
export const attachRefusedMsMin = 40;
export const attachRefusedMsMax = 1_000;
/** One read of the log for a follower that is caught up. */
export const catchUpReadBytesMax = 1024 * 1024;
/** High watermarks that moved without an append to carry them are sent at this interval. */
export const highWatermarkIntervalMs = 100;
/** Reports of replicas that need the controller are repeated while they hold. */
export const reportIntervalMs = 300;
/** A log that failed (full disk, I/O error) is closed and opened again after this. */
export const logReopenMs = 3_000;
/** A broker whose disk is behind and has ended no write for so long gives up what it leads, where the others can elect. */
export const diskStillMsMax = 5_000;
/** All logs with unsynced writes are synced in rounds that begin this often. */
export const syncIntervalMs = 1_000;
/** Logs synced side by side (docs/adr/0003, rule 2). */
export const syncConcurrency = 2;
/** Retention is applied to all partitions that this broker leads. */
export const retentionIntervalMs = 30_000;
/**
 * Only what was committed so long ago is compacted. Replicas sync every second: a quorum has it on its disks by then, with
 * room for disks that are slow.
 */
export const compactionSettleMs = 10_000;
/** Looks at the high watermark in that time: what was committed waits for up to one of them longer. */
export const watermarksPerSettling = 4;
/** Between two passes of compaction, of whatever logs. */
export const cleanerPauseMsMin = 20;
/** A log that could not be compacted for want of space, or for an error of the disk, is left alone so long. */
export const compactionRetryMs = 60_000;
/** Logs opened side by side when a broker starts or many partitions are made. */
export const openConcurrency = 16;
/** Attaches for replicas that this broker has not made yet. */
export const parkedAttachesMax = 20_000;

if (readLeaseMs > peerSilenceMs) throw new Error("a read lease must end before a successor can be elected");
