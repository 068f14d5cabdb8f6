/** Limits of the provisioning API. Times in milliseconds. */

/** How long a deleted logical cluster can be restored, unless the fleet is configured otherwise. */
export const graceMsDefault = 72 * 3_600_000;
/** How long the item of what is gone stays, so that a write that comes late meets it instead of nothing. */
export const tombstoneMs = 600_000;
/** A mark of work whose object never came to be is dropped after this: far longer than any call lives. */
export const abandonedMs = 900_000;
/**
 * A mark younger than this is settled but not taken away by the reconciler: the call that made it may be about to write.
 * Longer than a Lambda of the API may run.
 */
export const youngMarkMs = 60_000;
/** Steps of one object's settling in one go: it has some ten, and others may step in between. */
export const settleStepsMax = 40;
/** Attempts at a change that other calls keep overtaking. */
export const changeAttemptsMax = 20;
/** Attempts at a name whose reservation keeps changing hands. */
export const reserveAttemptsMax = 10;
/** How long the answer of a POST is found again by its `Idempotency-Key`. */
export const idempotencyMs = 600_000;
/** How long audit entries are kept. */
export const auditKeptMs = 90 * 86_400_000;
/** Objects that the reconciler looks at in one run; the next run goes on. */
export const reconcileObjectsMax = 1_000;
/** Expired records that it deletes in one run, of each kind. */
export const expiredDeletesMax = 500;

/** How long the loads of the cells are taken for new: cells write theirs every five seconds. */
export const loadViewMs = 2_000;

/** Objects in one page of a list: when nothing is asked for, and at most. */
export const pageSizeDefault = 10;
export const pageSizeMax = 100;
/** Items that a list looks through for one page, whatever it filters by: what keeps lists flat. */
export const listScanMax = 1_000;

/** Bytes of a request's body. */
export const bodyBytesMax = 64 * 1024;
/** Characters of names and descriptions. */
export const nameCharactersMax = 64;
export const descriptionCharactersMax = 512;
/** Characters of an `Idempotency-Key`. */
export const idempotencyKeyCharactersMax = 128;

/** Environments of one organisation. */
export const environmentsPerOrganizationMax = 100;

/** Requests of one key: tokens a second, and as many at once. Each Lambda instance counts for itself. */
export const requestsPerSecondMax = 50;
export const requestBurstMax = 200;
/** Keys whose requests are counted at the same time; the longest unused is forgotten. */
export const countedKeysMax = 10_000;
/** Failed authentications with one key from one address, likewise. */
export const failuresPerSecondMax = 2;
export const failureBurstMax = 20;
