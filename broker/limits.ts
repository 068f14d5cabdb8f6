/** Limits of a broker as a whole. Times in milliseconds. */

/** Between attempts to load the metadata or to register while the store does not answer. */
export const startRetryMs = 250;
/** Controlled shutdown gives up handing over leadership after this. */
export const releaseMsMax = 8_000;
/** Before leaderships are handed over, what was appended is waited for to commit at most this long. */
export const releaseCommitMsMax = 1_000;
/** A broker that stops and still leads asks the controller again after this. */
export const releaseRetryMs = 500;
/** Between two looks whether a follower has caught up for a hand-over. */
export const handOverPollMs = 5;
/** A block of producer ids is fetched when fewer than this many are left. */
export const producerIdsLowMark = 500;
/** Between attempts to fetch a block. */
export const producerIdRetryMs = 500;
/** How long an idempotent producer waits for its id when no block is left. */
export const producerIdWaitMs = 2_000;
/** Requests in flight have this long to finish when the broker stops. */
export const drainMsMax = 2_000;
/** Buffers that may gather before the young generation is collected: a tenth of a second of traffic at full speed. */
export const bufferGarbageBytesMax = 24 * 1024 * 1024;
/**
 * The whole heap is collected when it, with all buffers, has grown by this share of what the last such collection left
 * (some 55 MiB): far above the garbage that young collections leave standing, so that it happens once in many gigabytes.
 */
export const heapGrowingPercent = 200;
/** Between two looks at how many buffers there are; a look costs some ten microseconds. */
export const bufferCheckMs = 10;
/** The same while little comes in. */
export const bufferIdleCheckMs = 100;
/** Between two looks at how full the volume is, for the metrics. */
export const diskLookMs = 10_000;
/** How often the cell's secrets are read again: a file on this machine, written by whoever started the broker. */
export const cellSecretCheckMs = 60_000;
