/**
 * The seed at which each deliberate bug was caught last. A change of schedules, or of what brokers do, moves what a seed
 * does: then search again (mutations.test.ts says how).
 */
export const caughtAt: Readonly<Record<string, number>> = {
  "a-counts-unaccepted": 16,
  "b-ranks-by-log-end": 6,
  "c-does-not-seal": 1,
  "d-lost-data-votes": 8,
  "f-counts-before-written": 1,
  "g-accepts-too-early": 6,
  "h1-serves-too-early": 7,
  "h2-counts-unreconciled": 3,
  "j-sealed-leader-counts": 18,
  "k-sealed-follower-acknowledges": 23,
  "l-leads-an-epoch-twice": 2,
  "o-lost-data-leads": 1,
  "q-keeps-refusals-to-itself": 3,
  "r-acknowledges-for-any-epoch": 3,
  "s-leads-without-accepting": 1,
  "no-truncation": 6,
  "sync-skipped": 1,
  "put-without-condition": 1,
  "re-put-below-trim": 26,
  "group-acknowledges-uncommitted": 1,
  "group-assigns-before-stored": 3,
  "group-forgets-generations": 4,
  "group-keeps-old-state": 6,
  "group-loads-too-little": 1,
  "group-reads-without-lease": 1,
};
