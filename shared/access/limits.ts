/** Secrets that brokers of a cell believe at once: the one in use and, while it is exchanged, the one before or after. */
export const cellSecretsMax = 3;
