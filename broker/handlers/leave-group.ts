/**
 * LeaveGroup, v0 to v5.
 *
 * v3 many members at once, static ones by their instance ids (KIP-345), each with its own error; v5 a reason, for logs
 * only (KIP-800).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { leaveGroup } from "../../shared/kafka/schema/leave-group.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const manyMembersFrom = 3;

export const leaveGroupHandler: Handler<typeof leaveGroup> = {
  api: leaveGroup,
  minVersion: leaveGroup.versions.min,
  maxVersion: leaveGroup.versions.max,
  memoryEstimate: decodedBytes,
  handle({ services, session, version }, request) {
    const name = namedGroup(session, request.groupId, { mayBeEmpty: false });
    if (typeof name === "string") return { errorCode: errorCode[name] };
    const leaving =
      version >= manyMembersFrom ? request.members : [{ memberId: request.memberId, groupInstanceId: null }];
    const outcome = services.groups.leave(name, {
      members: leaving.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId })),
    });
    if (outcome.kind === "failed") return { errorCode: errorCode[outcome.error] };
    const members = outcome.value.map(({ memberId, groupInstanceId, error }) => ({
      memberId,
      groupInstanceId,
      errorCode: errorCode[error],
    }));
    if (version >= manyMembersFrom) return { errorCode: errorCode.NONE, members };
    return { errorCode: members[0]?.errorCode ?? errorCode.NONE };
  },
};
