import {
  api,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  producerId,
  struct,
  transactionalId,
} from "../codec/fields.ts";

/** Announces that a transaction will commit offsets of a group. */
export const addOffsetsToTxn = api({
  key: 25,
  name: "AddOffsetsToTxn",
  versions: "0-4",
  flexibleVersions: "3+",
  request: struct({
    transactionalId: transactionalId("0+"),
    producerId: producerId("0+"),
    producerEpoch: int16("0+"),
    groupId: groupId("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
  }),
});

export type AddOffsetsToTxnRequest = Decoded<typeof addOffsetsToTxn.request>;
export type AddOffsetsToTxnResponse = Encodable<typeof addOffsetsToTxn.response>;
