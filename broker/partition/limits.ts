/** Limits of partitions and their replicas. Times in milliseconds, sizes in bytes. */
import { peerSilenceMs } from "../peer/limits.ts";

/** A voter that has not been caught up for this long is not reported in sync (Kafka's replica.lag.time.max.ms is 30 s). */
export const replicaLagMsMax = 10_000;
/**
 * A leader that has not heard a majority for this long answers no reads: not longer than the silence after which a
 * successor can be elected, so that a stopped leader that wakes up serves nothing old.
 */
export const readLeaseMs = peerSilenceMs;
/** An attach that was not answered is tried again. */
export const attachRetryMs = 1_000;
/** A replica that does not exist yet at the peer is tried again soon: the peer is about to read the topic's record. */
export const attachUnknownRetryMs = 40;
/** One read of the log for a follower that is caught up. */
export const catchUpReadBytesMax = 1024 * 1024;
/** High watermarks that moved without an append to carry them are sent at this interval. */
export const highWatermarkIntervalMs = 100;
/** Reports of replicas that need the controller are repeated while they hold. */
export const reportIntervalMs = 300;
/** A log that failed (full disk, I/O error) is closed and opened again after this. */
export const logReopenMs = 3_000;
/** All logs with unsynced writes are synced in rounds that begin this often. */
export const syncIntervalMs = 1_000;
/** Logs synced side by side. */
export const syncConcurrency = 4;
/** Retention is applied to all partitions that this broker leads. */
export const retentionIntervalMs = 30_000;
/** Logs opened side by side when a broker starts or many partitions are made. */
export const openConcurrency = 16;
/** Attaches for replicas that this broker has not made yet. */
export const parkedAttachesMax = 20_000;

if (readLeaseMs > peerSilenceMs) throw new Error("a read lease must end before a successor can be elected");
