import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  producerId,
  string,
  struct,
  transactionalId,
} from "../codec/fields.ts";

const transactionState = struct({
  transactionalId: transactionalId("0+"),
  producerId: producerId("0+"),
  transactionState: string("0+"),
});

/** Transactions this broker coordinates (KIP-664). v1 filters by duration (KIP-994), v2 by a pattern (KIP-1152). */
export const listTransactions = api({
  key: 66,
  name: "ListTransactions",
  versions: "0-2",
  flexibleVersions: "0+",
  request: struct({
    stateFilters: array("string", "0+"),
    producerIdFilters: array("int64", "0+", { entity: "producerId" }),
    durationFilter: int64("1+", { default: -1 }),
    transactionalIdPattern: string("2+", { nullable: "2+", default: null }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    unknownStateFilters: array("string", "0+"),
    transactionStates: array(transactionState, "0+"),
  }),
});

export type ListTransactionsRequest = Decoded<typeof listTransactions.request>;
export type ListTransactionsResponse = Encodable<typeof listTransactions.response>;
export type ListedTransactionState = Encodable<typeof transactionState>;
