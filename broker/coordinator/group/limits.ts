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
/** Heap of a member, beside its names, protocols and assignment. Sizes of heap are estimates for what a tenant may hold. */
export const memberHeapBytes = 768;
/** Heap of a protocol of a member, beside its name and metadata. */
export const protocolHeapBytes = 256;
/** Heap of an id that was given to a client which did not come back with it yet, the longest id included. */
export const pendingMemberHeapBytes = 1_024;
/** A character of a string takes two bytes once any of the string's is beyond Latin-1. */
export const bytesPerCharacter = 2;
/** When nobody rejoined but static members may still return, the rebalance is looked at again after this at least. */
export const rejoinWaitMsMin = 1_000;
