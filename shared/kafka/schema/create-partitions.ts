import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
  topicName,
} from "../codec/fields.ts";

const assignment = struct({
  brokerIds: array("int32", "0+", { entity: "brokerId" }),
});

const requestTopic = struct({
  name: topicName("0+"),
  count: int32("0+"),
  assignments: array(assignment, "0+", { nullable: "0+" }),
});

const result = struct({
  name: topicName("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+", default: null }),
});

/** Raises the partition count of topics to `count`; v3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599). */
export const createPartitions = api({
  key: 37,
  name: "CreatePartitions",
  versions: "0-3",
  flexibleVersions: "2+",
  request: struct({
    topics: array(requestTopic, "0+"),
    timeoutMs: int32("0+"),
    validateOnly: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    results: array(result, "0+"),
  }),
});

export type CreatePartitionsRequest = Decoded<typeof createPartitions.request>;
export type CreatePartitionsResponse = Encodable<typeof createPartitions.response>;
export type CreatePartitionsResult = Encodable<typeof result>;
