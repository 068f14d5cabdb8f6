import { api, array, type Decoded, type Encodable, groupId, int16, int32, struct, topicName } from "../codec/fields.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
});

const requestTopic = struct({
  name: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
});

const responseTopic = struct({
  name: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/** Deletes a group's committed offsets of topics it no longer reads (KIP-496). */
export const offsetDelete = api({
  key: 47,
  name: "OffsetDelete",
  versions: "0",
  request: struct({
    groupId: groupId("0+"),
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    errorCode: int16("0+"),
    throttleTimeMs: int32("0+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0+"),
  }),
});

export type OffsetDeleteRequest = Decoded<typeof offsetDelete.request>;
export type OffsetDeleteResponse = Encodable<typeof offsetDelete.response>;
