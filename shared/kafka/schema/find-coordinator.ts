import {
  api,
  array,
  brokerId,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

/** What the key of a coordinator look-up names. */
export const coordinatorKeyTypes = { group: 0, transaction: 1, share: 2 } as const;

const coordinator = struct({
  key: string("4+"),
  nodeId: brokerId("4+"),
  host: string("4+"),
  port: int32("4+"),
  errorCode: int16("4+"),
  errorMessage: string("4+", { nullable: "4+", default: "", ignorable: true }),
});

/**
 * Finds the broker that coordinates a group or a transaction. v1 adds transactions, v4 many keys at once (KIP-699),
 * v5 transaction errors (KIP-890), v6 share groups (KIP-932).
 */
export const findCoordinator = api({
  key: 10,
  name: "FindCoordinator",
  versions: "0-6",
  flexibleVersions: "3+",
  request: struct({
    key: string("0-3", { default: "" }),
    keyType: int8("1+", { default: 0 }),
    coordinatorKeys: array("string", "4+", { default: [] }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("0-3", { default: 0 }),
    errorMessage: string("1-3", { nullable: "1-3", default: "", ignorable: true }),
    nodeId: brokerId("0-3", { default: 0 }),
    host: string("0-3", { default: "" }),
    port: int32("0-3", { default: 0 }),
    coordinators: array(coordinator, "4+", { default: [] }),
  }),
});

export type FindCoordinatorRequest = Decoded<typeof findCoordinator.request>;
export type FindCoordinatorResponse = Encodable<typeof findCoordinator.response>;
export type Coordinator = Encodable<typeof coordinator>;
