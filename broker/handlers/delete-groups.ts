/**
 * DeleteGroups, v0 to v2.
 *
 * Groups without members go, with their offsets; each is answered for itself (KIP-229).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { deleteGroups } from "../../shared/kafka/schema/delete-groups.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const deleteGroupsHandler: Handler<typeof deleteGroups> = {
  api: deleteGroups,
  minVersion: deleteGroups.versions.min,
  maxVersion: deleteGroups.versions.max,
  memoryEstimate: decodedBytes,
  async handle({ services, session }, { groupsNames }) {
    const results = groupsNames.map(async (groupId) => {
      const name = namedGroup(session, groupId, { mayBeEmpty: true });
      const error = typeof name === "string" ? name : await services.groups.delete(name);
      return { groupId, errorCode: errorCode[error] };
    });
    return { results: await Promise.all(results) };
  },
};
