import {
  api,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  producerId,
  struct,
  transactionalId,
} from "../codec/fields.ts";

/** Commits or aborts a transaction. v5 returns the bumped epoch (KIP-890). */
export const endTxn = api({
  key: 26,
  name: "EndTxn",
  versions: "0-5",
  flexibleVersions: "3+",
  request: struct({
    transactionalId: transactionalId("0+"),
    producerId: producerId("0+"),
    producerEpoch: int16("0+"),
    committed: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    producerId: producerId("5+", { default: -1, ignorable: true }),
    producerEpoch: int16("5+", { default: -1, ignorable: true }),
  }),
});

export type EndTxnRequest = Decoded<typeof endTxn.request>;
export type EndTxnResponse = Encodable<typeof endTxn.response>;
