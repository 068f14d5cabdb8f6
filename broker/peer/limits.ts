/** Limits of the links between brokers. Times in milliseconds, sizes in bytes. */

/** Between two heartbeats on a link. */
export const heartbeatIntervalMs = 150;
/**
 * A peer not heard for this long is taken for silent. Six heartbeats: long enough for a garbage collection or a busy
 * machine, short enough for a failover within two seconds of a SIGSTOP.
 */
export const peerSilenceMs = 1_000;
/** A heartbeat tick this late means that this process itself was stopped: nobody is judged in that tick. */
export const lateTickMs = 500;
/** A silent connection is given up, so that a fresh one can be tried. */
export const silentConnectionCloseMs = 8_000;
/** Between attempts to reach a peer; doubled from the first to the last. */
export const redialMsMin = 50;
export const redialMsMax = 1_000;
/** Append bytes pushed to one peer and not yet acknowledged; beyond it followers are caught up from the log. */
export const pushWindowBytesMax = 8 * 1024 * 1024;
/** Append bytes in one message, unless a single chunk is larger. */
export const appendMessageBytesMax = 2 * 1024 * 1024;
/** Calls waiting for an answer from one peer. */
export const pendingCallsMax = 10_000;
/** The largest chunk that a leader takes: with its headers it has to fit into one message of the transport (16 MiB). */
export const chunkBytesMax = 15 * 1024 * 1024;
/** Entries in one message: the count is 16 bits on the wire, and the headers of all have to fit beside a chunk. */
export const messageEntriesMax = 16_384;

if (peerSilenceMs < 4 * heartbeatIntervalMs) throw new Error("peerSilenceMs must outlast a few lost heartbeats");
if (lateTickMs >= peerSilenceMs) throw new Error("a late tick must be noticed before a peer is judged silent");
