/** Attempts of one append, the first included, before its outcome is given up as unavailable or unknown. */
export const appendAttemptsMax = 5;

/** Attempts of one read (an item, a page). */
export const readAttemptsMax = 3;

/** Attempts to win a conditional change of a reserved item (trim, snapshot pointer). */
export const reservedItemAttemptsMax = 5;

/**
 * A snapshot that a reader waits for is asked for again after this long without an answer, each time after half as long
 * again, up to so many reads side by side. A snapshot of 20 MiB takes a second even at a fifth of S3's usual speed.
 */
export const unansweredReadMs = 2_000;
export const sideBySideReadsMax = 5;

/** First wait between attempts; doubles each time, with full jitter. */
export const backoffFirstMs = 20;

/** Longest wait between attempts: a throttled or failed-over DynamoDB partition is back within seconds. */
export const backoffMaxMs = 500;

/** Entries asked for in one page; DynamoDB sends 1 MB at most whatever is asked for. */
export const pageEntriesMax = 200;

/** Entries deleted by one call of trim; the next call goes on. 10 ms each makes ten seconds. */
export const trimDeletesMax = 1_000;

/** Attempts to load a snapshot whose pointer, object or tail moves away meanwhile. */
export const loadAttemptsMax = 5;

/** Entries kept below the newest snapshot, so that a reader that lags or loads is hardly ever overtaken by the trim. */
export const entriesKeptBelowSnapshot = 1_000;

/** Entries after which a new snapshot is due. Replaying so many takes well under a second. */
export const entriesPerSnapshot = 1_000;

/** Lines of a snapshot written or verified in one turn of the event loop: two to four milliseconds. */
export const snapshotLinesPerTurn = 200;

/**
 * Attempts of a function to append behind a moving tail. Of so many writers that collide each round lets one through, so
 * this is also how many may append at the same moment.
 */
export const tailAppendAttemptsMax = 60;

/** Longest wait between two of them: one append of a rival. */
export const tailBackoffMs = 30;

/** Changes that one process puts into one entry: a few hundred bytes each. */
export const tailAppendsPerEntryMax = 200;
