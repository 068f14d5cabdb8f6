/** Between two looks at the table, whatever happened to the last one. Pushed entries come sooner than that. */
export const pollIntervalMs = 1_000;

/** Proposals of one process that wait for their turn; more are refused as `overloaded`. */
export const proposalsQueuedMax = 1_000;

/** Proposals that share one entry at most. */
export const proposalsPerEntryMax = 64;

/** How often one batch of proposals is decided anew because another writer was first. */
export const conflictsMax = 10;

/** Callers of `waitFor` at one time; connections of clients end up here. */
export const waitersMax = 10_000;

/** Failed looks at the table in a row between two warnings in the log. */
export const pollFailuresPerWarning = 30;
