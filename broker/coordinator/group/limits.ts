/** Limits of a classic group. Times in milliseconds. What can be configured is in `group-config.ts`. */

/**
 * A new member waits for its first rebalance for so long at most: it cannot heartbeat yet, so nothing else tells whether
 * it is still there. Afterwards it is asked to join again.
 */
export const newMemberJoinTimeoutMs = 300_000;
/** Ids given to clients that did not come back with them yet; with more the oldest is forgotten. */
export const pendingMembersMax = 10_000;
/** Names and metadata of one member's protocols: more than the record of a group can hold anyway. */
export const memberMetadataBytesMax = 1_048_576;
/** Protocols of one member. Clients have one to five; they are compared name by name, and so are those of all members. */
export const memberProtocolsMax = 100;
/**
 * Topics of one subscription that are looked at. Nobody has as many as this; of a member that names more it is unknown what it
 * reads, so that not even a large group of such members holds up the broker.
 */
export const subscriptionTopicsMax = 20_000;
/** When nobody rejoined but static members may still return, the rebalance is looked at again after this at least. */
export const rejoinWaitMsMin = 1_000;
