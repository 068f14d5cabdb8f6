/** Bounds of compaction. Bytes, milliseconds and shares, as the names say. */
import assert from "node:assert/strict";

/** One read, and what is gathered for one write: two buffers of it, and a batch that is larger than it. */
export const blockBytes = 1024 * 1024;

/** Work between two turns of the event loop, whichever is reached first. A batch is never split. */
export const sliceBytesMax = 256 * 1024;
export const sliceMsMax = 2;

/** An entry of the offset map: 16 bytes of hash, 8 of offset. */
export const mapEntryBytes = 24;
/** Share of the map's places that may be taken: at three quarters a look-up of what is not there takes some eight steps. */
export const mapLoadMax = 0.75;

/**
 * What the budget allowed so long ago may still be used: time that went into work on the bytes, and timers that come late, must
 * not slow compaction below its budget.
 */
export const budgetBurstMs = 50;

/** A pause that the budget asks for is cut into pieces of this, so that a log that closes waits no longer. */
export const pauseMsMax = 50;

assert(mapLoadMax < 1, "a map that is full answers nothing");
