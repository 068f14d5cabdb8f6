/**
 * Bounds of the wire codec. Everything a peer can make us allocate is bounded here or by the length of its frame.
 */

/**
 * Largest string, in bytes of UTF-8. The non-flexible encoding has an int16 length; Kafka keeps the same bound for the
 * flexible one.
 */
export const stringBytesMax = 32_767;

/**
 * Most array elements in one message, over all its arrays. A frame of 100 MiB can hold 50 million empty strings, and
 * each costs some 50 to 150 bytes of heap once decoded: without this bound one request could claim gigabytes. This is
 * twenty-five times the partitions a broker is built for (20,000), and some 60 MB of heap at worst.
 */
export const messageElementsMax = 500_000;

/** A varint of 32 bits takes at most this many bytes. */
export const varintBytesMax = 5;

/**
 * Record data of at least this many bytes leaves as a chunk of its own (writev), smaller data is copied into the
 * message: below this size a copy is cheaper than one more entry in the vector.
 */
export const recordsCopyBytesMax = 4_096;

/**
 * Size of the slabs in which messages are encoded; messages share a slab one after the other. A message larger than
 * what is left gets a new slab, one larger than a slab its own.
 */
export const writerSlabBytes = 65_536;

/** A connection's first read buffer; most requests fit, and an idle connection holds no more than this. */
export const frameSlabBytesMin = 4_096;

/** Read buffers double up to this size while reads fill them. */
export const frameSlabBytesMax = 65_536;

/** With less room than this in a slab a new one is begun, rather than making tiny reads. */
export const frameReadBytesMin = 1_024;

/**
 * Frames up to this size get their whole buffer once their length is known. Larger ones get it in doubling steps as
 * their bytes come in, so that a peer that only claims a length makes us allocate no more than this.
 */
export const frameEagerBytesMax = 2 * 1_048_576;
