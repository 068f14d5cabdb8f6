import type { ErrorName } from "../../../shared/kafka/error-codes.ts";
import type { GroupName } from "../../coordinator/group-requests.ts";
import type { ClientSession } from "./client-session.ts";

/**
 * The group that a client means: in the logical cluster to which its connection is bound, whatever it is called. Old
 * consumers committed offsets without a group's name; members cannot be without.
 */
export function namedGroup(
  { tenant }: Pick<ClientSession, "tenant">,
  groupId: string,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): GroupName | ErrorName {
  if (tenant.lkc === undefined) return "GROUP_AUTHORIZATION_FAILED";
  return groupId === "" && !mayBeEmpty ? "INVALID_GROUP_ID" : { lkc: tenant.lkc, groupId };
}
