import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  producerId,
  struct,
  transactionalId,
} from "../codec/fields.ts";

/**
 * Gives a producer its id and epoch. v3 lets a producer bump its own epoch (KIP-360), v4 fences with PRODUCER_FENCED,
 * v5 speaks the second transaction protocol (KIP-890).
 */
export const initProducerId = api({
  key: 22,
  name: "InitProducerId",
  versions: "0-5",
  flexibleVersions: "2+",
  request: struct({
    transactionalId: transactionalId("0+", { nullable: "0+" }),
    transactionTimeoutMs: int32("0+"),
    producerId: producerId("3+", { default: -1 }),
    producerEpoch: int16("3+", { default: -1 }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
    producerId: producerId("0+", { default: -1 }),
    producerEpoch: int16("0+"),
  }),
});

export type InitProducerIdRequest = Decoded<typeof initProducerId.request>;
export type InitProducerIdResponse = Encodable<typeof initProducerId.response>;
