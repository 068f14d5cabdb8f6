/** Limits of the local cloud. Times in milliseconds, sizes in bytes. */

/** To load all code once, on a machine that does much else. */
export const compileAheadMsMax = 60_000;
/** A broker that does not serve after this long is taken for stuck, and the start for failed. */
export const brokerReadyMsMax = 60_000;
/** The store opens one file. */
export const storeReadyMsMax = 20_000;
/** A controlled shutdown moves leadership away and syncs; after this long the process is killed. */
export const brokerStopMsMax = 20_000;
export const storeStopMsMax = 5_000;
/** The router loads the logs of the cells first. */
export const routerReadyMsMax = 30_000;
/** It gives its connections 3 s to end with their brokers. */
export const routerStopMsMax = 6_000;
/** Store and router are everybody's neighbours: they come back at once, but not in a tight loop. */
export const keptProcessRestartMs = 500;
/** A broker that keeps dying before it serves waits twice as long each time, up to this. */
export const restartDelayMsMax = 60_000;
/** `npm` and the terminal both hand Ctrl-C over: signals this close together are one. */
export const sameSignalMs = 700;
/** Broker processes that outlived a killed supervisor have this long to end by themselves. */
export const leftoverEndMsMax = 10_000;
export const leftoverPollMs = 50;
/** Between two tries to write what the other commands find the cloud by, while the disk takes nothing. */
export const runFileRetryMs = 5_000;
/** Between two looks whether the npm that started it is still there. */
export const parentWatchMs = 1_000;
/** A process's log file is moved aside at this size; one older file is kept. */
export const logFileBytesMax = 16 * 1024 * 1024;
/** What is kept of a log's end while the disk does not take it. */
export const unwrittenCharactersMax = 4096;
/** Lines of a log shown when a process could not start. */
export const logLinesShown = 15;
/** Longest line that a child may print before its newline; the ready line is far shorter. */
export const childLineCharactersMax = 64 * 1024;
/** One request to the provisioning API: more than any body that it takes, so that it is the API that refuses. */
export const apiRequestBytesMax = 1024 * 1024;
export const apiConnectionsMax = 256;
/** How long a client of it may take to send a request. */
export const apiRequestMsMax = 30_000;
/** Between two runs of its reconciler. */
export const reconcileIntervalMs = 5_000;
/** One request or answer on the control socket. */
export const controlMessageBytesMax = 64 * 1024;
export const controlConnectionsMax = 16;
/** `stop` waits for a controlled shutdown, `start` for a broker that recovers its log. */
export const controlAnswerMsMax = 90_000;
/** A change of metadata reaches every running broker well within this; the command that made it waits no longer. */
export const appliedWaitMsMax = 5_000;
export const appliedPollMs = 20;
/** The kernel's bound on a Unix socket's path (`sun_path`, 104 on macOS with its end mark, 108 on Linux). */
export const socketPathBytesMax = 103;
/** Most cells of a local cloud, each with its own brokers. */
export const localCellsMax = 4;
/** Most brokers of a local cell: each is a process of some 100 MiB. */
export const localBrokersMax = 9;

if (Math.max(brokerStopMsMax, brokerReadyMsMax) >= controlAnswerMsMax) {
  throw new Error("the control socket must outwait a stop or a start");
}
