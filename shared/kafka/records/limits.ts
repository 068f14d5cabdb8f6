/** Bounds of what records may make us allocate. Bytes and counts, as the names say. */

/**
 * Largest decompressed size of one batch's records. A kilobyte of zstd can claim gigabytes; a batch that unfolds to more
 * than this is refused (recompression) or searched no further (time look-up). Kafka's own default for a whole request.
 */
export const decompressedBytesMax = 100 * 1024 * 1024;

/** A record takes at least this many bytes: length, attributes, two deltas, two lengths of -1, count of headers. */
export const recordBytesMin = 7;

/** Records that an error message about a batch tells of; the list beside it has them all. */
export const shownErrorsMax = 3;
