import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestTopic = struct({
  topic: topicName("0+"),
  partitions: array("int32", "0+"),
});

const partition = struct({
  partitionIndex: int32("0+"),
  partitionSize: int64("0+"),
  offsetLag: int64("0+"),
  isFutureKey: bool("0+"),
});

const topic = struct({
  name: topicName("0+"),
  partitions: array(partition, "0+"),
});

const result = struct({
  errorCode: int16("0+"),
  logDir: string("0+"),
  topics: array(topic, "0+"),
  totalBytes: int64("4+", { default: -1, ignorable: true }),
  usableBytes: int64("4+", { default: -1, ignorable: true }),
});

/** Sizes of partitions on this broker; null topics ask for all. v4 adds the disk's size (KIP-827). */
export const describeLogDirs = api({
  key: 35,
  name: "DescribeLogDirs",
  versions: "1-4",
  flexibleVersions: "2+",
  request: struct({
    topics: array(requestTopic, "0+", { nullable: "0+" }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("3+", { default: 0, ignorable: true }),
    results: array(result, "0+"),
  }),
});

export type DescribeLogDirsRequest = Decoded<typeof describeLogDirs.request>;
export type DescribeLogDirsResponse = Encodable<typeof describeLogDirs.response>;
export type DescribeLogDirsResult = Encodable<typeof result>;
