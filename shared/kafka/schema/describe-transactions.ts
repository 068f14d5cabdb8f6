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
  topicName,
  transactionalId,
} from "../codec/fields.ts";

const topic = struct({
  topic: topicName("0+"),
  partitions: array("int32", "0+"),
});

const transactionState = struct({
  errorCode: int16("0+"),
  transactionalId: transactionalId("0+"),
  transactionState: string("0+"),
  transactionTimeoutMs: int32("0+"),
  transactionStartTimeMs: int64("0+"),
  producerId: producerId("0+"),
  producerEpoch: int16("0+"),
  topics: array(topic, "0+"),
});

/** The state of transactions by transactional id (KIP-664). */
export const describeTransactions = api({
  key: 65,
  name: "DescribeTransactions",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    transactionalIds: array("string", "0+", { entity: "transactionalId" }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    transactionStates: array(transactionState, "0+"),
  }),
});

export type DescribeTransactionsRequest = Decoded<typeof describeTransactions.request>;
export type DescribeTransactionsResponse = Encodable<typeof describeTransactions.response>;
export type DescribedTransactionState = Encodable<typeof transactionState>;
