/**
 * The seed at which each deliberate bug was caught last. A change of schedules, or of what brokers do, moves what a seed
 * does: then search again (mutations.test.ts says how).
 */
export const caughtAt: Readonly<Record<string, number>> = {
  "a-counts-unaccepted": 17,
  "b-ranks-by-log-end": 6,
};
