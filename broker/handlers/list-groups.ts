/**
 * ListGroups, v0 to v5: the tenant's groups that this broker coordinates; clients ask all brokers. v4 filter by state
 * (KIP-518); v5 filter by type (KIP-848).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { listGroups } from "../../shared/kafka/schema/list-groups.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const classicType = "classic";

export const listGroupsHandler: Handler<typeof listGroups> = {
  api: listGroups,
  minVersion: listGroups.versions.min,
  maxVersion: listGroups.versions.max,
  memoryEstimate: decodedBytes,
  handle({ services, session }, { statesFilter, typesFilter }) {
    const { tenant } = session;
    const { lkc } = tenant;
    if (lkc === undefined) return { errorCode: errorCode.GROUP_AUTHORIZATION_FAILED, groups: [] };
    const outcome = services.groups.list(lkc, (brokerId) => tenant.isAlive(brokerId));
    if (outcome.kind === "failed") return { errorCode: errorCode[outcome.error], groups: [] };
    const states = lowerCased(statesFilter);
    const types = lowerCased(typesFilter);
    const groups = outcome.value.filter(({ state }) => isAmong(states, state) && isAmong(types, classicType));
    return {
      errorCode: errorCode.NONE,
      groups: groups.map(({ groupId, protocolType, state }) => ({
        groupId,
        protocolType,
        groupState: state,
        groupType: classicType,
      })),
    };
  },
};

/** Made once: a filter may be as long as a request. */
function lowerCased(filter: readonly string[]): ReadonlySet<string> {
  return new Set(filter.map((wanted) => wanted.toLowerCase()));
}

/** An empty filter lets everything through. */
function isAmong(filter: ReadonlySet<string>, word: string): boolean {
  return filter.size === 0 || filter.has(word.toLowerCase());
}
