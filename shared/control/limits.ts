/** Attempts of one read of the control plane's table. */
export const readAttemptsMax = 3;

/** Attempts of one write, the first included, until its outcome is known. */
export const writeAttemptsMax = 5;

/** Wait between two attempts; grows with each, with full jitter. */
export const retryBackoffMs = 40;

/** Objects in one page of a list, as the store is asked for them. */
export const listPageMax = 200;

/** How old what a cell's controller wrote of its load may be to be believed. It writes every few seconds. */
export const loadFreshMs = 60_000;

/** How often the controller of a cell writes it. */
export const loadIntervalMs = 5_000;

/** Replicas of partitions that a broker is meant to hold, until it is measured for each size of broker. */
export const replicasPerBrokerMax = 4_000;

/** Bytes a second, in and out together, that a broker is meant to carry, until it is measured for each size of broker. */
export const bytesPerSecondPerBrokerMax = 100 * 1024 * 1024;
