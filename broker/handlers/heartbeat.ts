/**
 * Heartbeat, v0 to v4.
 *
 * A member of a group is alive, and is told when it has to join again. v3 static members (KIP-345).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { heartbeat } from "../../shared/kafka/schema/heartbeat.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const heartbeatHandler: Handler<typeof heartbeat> = {
  api: heartbeat,
  minVersion: heartbeat.versions.min,
  maxVersion: heartbeat.versions.max,
  memoryEstimate: decodedBytes,
  handle({ services, session }, { groupId, memberId, groupInstanceId, generationId }) {
    const name = namedGroup(session, groupId, { mayBeEmpty: false });
    if (typeof name === "string") return { errorCode: errorCode[name] };
    const error = services.groups.heartbeat(name, { memberId, groupInstanceId, generationId });
    return { errorCode: errorCode[error] };
  },
};
