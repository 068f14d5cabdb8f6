import { api, type Decoded, type Encodable, groupId, int16, int32, string, struct } from "../codec/fields.ts";

/** Keeps a member of the classic group protocol alive and tells it of rebalances. v3 adds static membership. */
export const heartbeat = api({
  key: 12,
  name: "Heartbeat",
  versions: "0-4",
  flexibleVersions: "4+",
  request: struct({
    groupId: groupId("0+"),
    generationId: int32("0+"),
    memberId: string("0+"),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
  }),
});

export type HeartbeatRequest = Decoded<typeof heartbeat.request>;
export type HeartbeatResponse = Encodable<typeof heartbeat.response>;
