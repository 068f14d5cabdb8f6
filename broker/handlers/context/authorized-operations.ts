/**
 * What a principal may do, as bits by Kafka's operation codes (KIP-430). There are no ACLs yet: a tenant may do to its
 * own topics whatever exists, and to its cluster all that is not the operator's.
 */
const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const;

type Operation = keyof typeof operations;

function bits(...names: readonly Operation[]): number {
  return names.reduce((sum, name) => sum | (1 << operations[name]), 0);
}

export const topicOperations = bits(
  "read",
  "write",
  "create",
  "delete",
  "alter",
  "describe",
  "describeConfigs",
  "alterConfigs",
);

export const groupOperations = bits("read", "delete", "describe");

export const clusterOperations = bits("create", "describe", "describeConfigs", "idempotentWrite");

/** What the field holds when the client did not ask. */
export const operationsNotAsked = -2_147_483_648;
