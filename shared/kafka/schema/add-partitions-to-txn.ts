import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  producerId,
  struct,
  topicName,
  transactionalId,
} from "../codec/fields.ts";

const topic = struct({
  name: topicName("0+"),
  partitions: array("int32", "0+"),
});

const transaction = struct({
  transactionalId: transactionalId("4+"),
  producerId: producerId("4+"),
  producerEpoch: int16("4+"),
  verifyOnly: bool("4+", { default: false }),
  topics: array(topic, "4+"),
});

const partitionResult = struct({
  partitionIndex: int32("0+"),
  partitionErrorCode: int16("0+"),
});

const topicResult = struct({
  name: topicName("0+"),
  resultsByPartition: array(partitionResult, "0+"),
});

const transactionResult = struct({
  transactionalId: transactionalId("4+"),
  topicResults: array(topicResult, "4+"),
});

/** Adds partitions to transactions. Clients send one transaction (v0 to v3), brokers many, or verify (v4, KIP-890). */
export const addPartitionsToTxn = api({
  key: 24,
  name: "AddPartitionsToTxn",
  versions: "0-5",
  flexibleVersions: "3+",
  request: struct({
    transactions: array(transaction, "4+", { default: [] }),
    v3AndBelowTransactionalId: transactionalId("0-3", { default: "" }),
    v3AndBelowProducerId: producerId("0-3", { default: 0 }),
    v3AndBelowProducerEpoch: int16("0-3", { default: 0 }),
    v3AndBelowTopics: array(topic, "0-3", { default: [] }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("4+", { default: 0, ignorable: true }),
    resultsByTransaction: array(transactionResult, "4+", { default: [] }),
    resultsByTopicV3AndBelow: array(topicResult, "0-3", { default: [] }),
  }),
});

export type AddPartitionsToTxnRequest = Decoded<typeof addPartitionsToTxn.request>;
export type AddPartitionsToTxnTransaction = Decoded<typeof transaction>;
export type AddPartitionsToTxnTopic = Decoded<typeof topic>;
export type AddPartitionsToTxnResponse = Encodable<typeof addPartitionsToTxn.response>;
export type AddPartitionsToTxnResult = Encodable<typeof transactionResult>;
export type AddPartitionsToTxnTopicResult = Encodable<typeof topicResult>;
