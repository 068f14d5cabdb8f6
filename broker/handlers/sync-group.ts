/**
 * SyncGroup, v0 to v5.
 *
 * The leader hands in the assignments of all, everybody is answered with its own once they are stored.
 * v3 static members (KIP-345); v5 protocol type and name, which must be the group's (KIP-559).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { syncGroup } from "../../shared/kafka/schema/sync-group.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler } from "./context/handler.ts";
import { groupRequestBytes } from "./limits.ts";

const noAssignment = Buffer.alloc(0);

export const syncGroupHandler: Handler<typeof syncGroup> = {
  api: syncGroup,
  minVersion: syncGroup.versions.min,
  maxVersion: syncGroup.versions.max,
  memoryEstimate: groupRequestBytes,
  async handle({ services, session }, request) {
    const name = namedGroup(session, request.groupId, { mayBeEmpty: false });
    if (typeof name === "string") return { errorCode: errorCode[name], assignment: noAssignment };
    const { memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
    const assignments = request.assignments.map(({ memberId: to, assignment }) => ({
      memberId: to,
      // Copied: a group outlives the frame in which they came.
      assignment: Buffer.from(assignment),
    }));
    const answer = await services.groups.sync(
      name,
      { memberId, groupInstanceId, generationId, protocolType, protocolName, assignments },
      (run) => session.whenEnding(run),
    );
    return {
      errorCode: errorCode[answer.error],
      protocolType: answer.protocolType,
      protocolName: answer.protocolName,
      assignment: answer.assignment,
    };
  },
};
