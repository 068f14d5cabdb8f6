/**
 * Bytes of one encoded entry of the metadata log. DynamoDB takes items of 400 KB and charges a write unit per KB; at
 * 256 KiB about 6,000 partition states fit (some 40 bytes each), and an item store has room for keys and names.
 */
export const entryBytesMax = 256 * 1024;

/** Bytes of an entry that are not records: envelope, ids, writer. Kept free when records are gathered into an entry. */
export const entryEnvelopeBytes = 1024;

/** Records in one entry, whatever their size: bounds the work of one turn of the event loop. */
export const entryRecordsMax = 4096;

/** Bytes of any one string in a record: names, hosts, config values. */
export const stringBytesMax = 32 * 1024;

/** The feature level of a log in which none was ever raised, and the oldest that this build can read. */
export const featureLevelBase = 1;

/** Highest feature level whose records this build can read and write. */
export const featureLevelMax = 1;
