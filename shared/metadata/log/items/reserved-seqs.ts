/** Entries have numbers from 1; the items beside them live in the same partition under these, forever theirs. */
export const trimSeq = -1;
export const snapshotPointerSeq = -2;
