/**
 * DescribeGroups, v0 to v6: state, protocol and members of classic groups that this broker coordinates.
 *
 * v3 authorized operations (KIP-430); v4 instance ids (KIP-345); v6 a group that is not there is GROUP_ID_NOT_FOUND
 * (KIP-1043); before it is described as dead, without an error.
 *
 * Groups that would make the answer too large are COORDINATOR_LOAD_IN_PROGRESS: clients ask again for them alone.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { type DescribedGroup, describeGroups } from "../../shared/kafka/schema/describe-groups.ts";
import type { GroupDescription } from "../coordinator/group/group-contract.ts";
import { AnswerBudget } from "./context/answer-budget.ts";
import { groupOperations, operationsNotAsked } from "./context/authorized-operations.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes, groupAnswerItemBytes } from "./limits.ts";

const notFoundFrom = 6;

export const describeGroupsHandler: Handler<typeof describeGroups> = {
  api: describeGroups,
  minVersion: describeGroups.versions.min,
  maxVersion: describeGroups.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, { groups, includeAuthorizedOperations }) {
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : operationsNotAsked;
    const budget = new AnswerBudget();
    return { groups: groups.map((groupId) => ({ ...described(context, groupId, budget), authorizedOperations })) };
  },
};

function described(
  { services, session, version }: RequestContext,
  groupId: string,
  budget: AnswerBudget,
): DescribedGroup {
  const nothing = { groupId, groupState: "", protocolType: "", protocolData: "", members: [] };
  const tooMuch = { ...nothing, errorCode: errorCode.COORDINATOR_LOAD_IN_PROGRESS };
  if (budget.isSpent) return tooMuch;
  const name = namedGroup(session, groupId, { mayBeEmpty: true });
  if (typeof name === "string") return { ...nothing, errorCode: errorCode[name] };
  const outcome = services.groups.describe(name);
  if (outcome.kind === "failed") {
    if (outcome.error !== "GROUP_ID_NOT_FOUND") return { ...nothing, errorCode: errorCode[outcome.error] };
    const dead = { ...nothing, groupState: "Dead" };
    if (version < notFoundFrom) return { ...dead, errorCode: errorCode.NONE };
    return { ...dead, errorCode: errorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` };
  }
  if (!budget.admits(bytesOf(outcome.value))) return tooMuch;
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

function bytesOf({ members }: GroupDescription): number {
  let bytes = 0;
  for (const { memberId, groupInstanceId, clientId, clientHost, metadata, assignment } of members) {
    bytes += groupAnswerItemBytes + memberId.length + (groupInstanceId?.length ?? 0) + clientId.length;
    bytes += clientHost.length + metadata.length + assignment.length;
  }
  return bytes;
}
