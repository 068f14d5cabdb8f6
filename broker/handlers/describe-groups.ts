/**
 * DescribeGroups, v0 to v6: state, protocol and members of classic groups that this broker coordinates.
 *
 * v3 authorized operations (KIP-430); v4 instance ids (KIP-345); v6 a group that is not there is GROUP_ID_NOT_FOUND
 * (KIP-1043); before it is described as dead, without an error.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { type DescribedGroup, describeGroups } from "../../shared/kafka/schema/describe-groups.ts";
import { groupOperations, operationsNotAsked } from "./context/authorized-operations.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const notFoundFrom = 6;

export const describeGroupsHandler: Handler<typeof describeGroups> = {
  api: describeGroups,
  minVersion: describeGroups.versions.min,
  maxVersion: describeGroups.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, { groups, includeAuthorizedOperations }) {
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : operationsNotAsked;
    return { groups: groups.map((groupId) => ({ ...described(context, groupId), authorizedOperations })) };
  },
};

function described({ services, session, version }: RequestContext, groupId: string): DescribedGroup {
  const nothing = { groupId, groupState: "", protocolType: "", protocolData: "", members: [] };
  const name = namedGroup(session, groupId, { mayBeEmpty: true });
  if (typeof name === "string") return { ...nothing, errorCode: errorCode[name] };
  const outcome = services.groups.describe(name);
  if (outcome.kind === "failed") {
    if (outcome.error !== "GROUP_ID_NOT_FOUND") return { ...nothing, errorCode: errorCode[outcome.error] };
    const dead = { ...nothing, groupState: "Dead" };
    if (version < notFoundFrom) return { ...dead, errorCode: errorCode.NONE };
    return { ...dead, errorCode: errorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` };
  }
  const { state, protocolType, protocol, members } = outcome.value;
  return {
    errorCode: errorCode.NONE,
    groupId,
    groupState: state,
    protocolType,
    protocolData: protocol,
    members: members.map(({ metadata, assignment, ...member }) => ({
      ...member,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
  };
}
