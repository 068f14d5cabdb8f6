/** Limits of the controller. Times in milliseconds. */

/** Between two looks at what is to be done, when no event asks for one sooner. */
export const controllerTickMs = 100;
/** Brokers stand for controller one after the other, lowest id first, so that they rarely collide. */
export const candidacyStepMs = 60;
/**
 * A broker that won and lost office again and again waits longer each time: up to the first when it hears no other broker
 * at all, up to the second when it does, so that who is cut off never keeps the others from having a controller.
 */
export const candidacyBackoffMsMax = 16_000;
export const candidacyBackoffAmongOthersMsMax = 1_000;
/** A broker that hears no other one, though there are some, stands only after this: it is likely the one that is cut off. */
export const candidacyAloneMs = 5_000;
/** How long after its last change of office a broker is calm again. */
export const candidacyCalmMs = 20_000;
/** A broker that just started does not replace a controller that it had no time to reach yet. */
export const controllerFirstContactMs = 1_500;
/** A controller that cannot reach the store, while this broker can, is replaced after this. */
export const controllerStoreLossMs = 3_000;
/** Waiting for seal answers at most. */
export const sealTimeoutMs = 1_000;
/** With a majority of answers, how long the others are still waited for. */
export const sealGraceMs = 40;
/** Between two attempts to elect a leader of the same partition, doubled up to the maximum. */
export const electionRetryMsMin = 200;
export const electionRetryMsMax = 5_000;
/** Partitions in one round of elections. */
export const electionBatchMax = 1_000;
/** A leader that is alive but hears no majority of its voters is replaced after this. */
export const isolatedLeaderMs = 1_500;
/** Before recovering without a majority: how long missing voters are waited for. */
export const recoveryWaitMs = 6_000;
/** Leaderships go back to the first voter when it has been alive for this long; looked at in this interval. */
export const preferredLeaderAfterMs = 30_000;
export const preferredLeaderIntervalMs = 10_000;
export const preferredLeaderBatchMax = 50;
/** A leader that stopped appending for a hand-over goes on after this, if it still leads. */
export const handOverMsMax = 2_000;
/** A command waits for a controller to be found and to answer. */
export const commandRetryMs = 50;
/** Snapshots and trimming of the metadata log are looked at in this interval. */
export const maintenanceIntervalMs = 5_000;
/** Reports kept for partitions, newest of each. */
export const reportsMax = 100_000;
/** The store counts as unreachable when no read of it succeeded for this long (brokers poll every second). */
export const storeUnconfirmedMsMax = 2_500;
/** Between two looks at the metadata log on behalf of API keys and topics that this broker does not know. */
export const logLookIntervalMs = 200;
/** How long such a look keeps a client waiting: the store may be away, and most such names are simply wrong. */
export const logLookMsMax = 1_500;
