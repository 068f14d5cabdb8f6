/** Bytes of a key in UTF-8: S3's limit. */
export const keyBytesMax = 1024;

/** Bytes between two slashes of a key: what file systems allow for one name. */
export const keySegmentBytesMax = 200;

/** Keys in one page of a list: S3's limit. */
export const listPageKeysMax = 1000;

/** How long one call may take before it counts as unanswered. Segments are read and written in parts of some MiB. */
export const objectCallTimeoutMs = 30_000;
