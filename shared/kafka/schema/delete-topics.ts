import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const requestTopic = struct({
  name: topicName("6+", { nullable: "6+", default: null }),
  topicId: uuid("6+", { default: ZERO_UUID }),
});

const responseTopic = struct({
  name: topicName("0+", { nullable: "6+" }),
  topicId: uuid("6+", { default: ZERO_UUID, ignorable: true }),
  errorCode: int16("0+"),
  errorMessage: string("5+", { nullable: "5+", default: null, ignorable: true }),
});

/** Deletes topics by name, from v6 also by id (KIP-516). */
export const deleteTopics = api({
  key: 20,
  name: "DeleteTopics",
  versions: "1-6",
  flexibleVersions: "4+",
  request: struct({
    topics: array(requestTopic, "6+", { default: [] }),
    topicNames: array("string", "0-5", { default: [], ignorable: true, entity: "topicName" }),
    timeoutMs: int32("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    responses: array(responseTopic, "0+"),
  }),
});

export type DeleteTopicsRequest = Decoded<typeof deleteTopics.request>;
export type DeleteTopicsResponse = Encodable<typeof deleteTopics.response>;
export type DeletableTopicResult = Encodable<typeof responseTopic>;
