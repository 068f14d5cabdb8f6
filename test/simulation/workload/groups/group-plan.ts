/** Which groups a run has, who is in them, and what they read. Both tenants use the same names. */

import type { SeededRandom } from "../../world/seeded-random.ts";
import { simulatedLkc } from "../kafka-server.ts";

export const otherLkc = "lkc-sim02";
/** Is deleted in the middle of the run. */
export const doomedLkc = "lkc-sim03";
/** Machines of group members are numbered from here, those of auditors before them. */
export const firstMemberMachine = 130;
export const firstAuditorMachine = 120;
export const doomedMachine = 129;

/** Groups live on few internal partitions, rebalance at once, and notice within seconds that a member is gone. */
export const groupCellConfigs: Readonly<Record<string, string>> = {
  "offsets.topic.num.partitions": "3",
  "group.min.session.timeout.ms": "500",
  "group.initial.rebalance.delay.ms": "150",
};

/** The other tenant's topic of a name that the first one uses too. */
export const sharedTopicName = "orders";
/** Of the other tenant: made, deleted, and made again. */
export const fleetingTopicName = "fleeting";
/** A group whose members give up topics. */
export const narrowingGroupId = "more";
/** A group of each tenant without members: partitions are assigned by hand. */
export const simpleGroupId = "by-hand";

export interface GroupTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: number;
}

export interface PlannedMember {
  readonly machineId: number;
  /** Null: a dynamic member. */
  readonly instanceId: string | null;
}

export interface PlannedGroup {
  readonly lkc: string;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly members: readonly PlannedMember[];
}

/** `isSteady`: sessions outlast a failover. */
export function planGroups(random: SeededRandom, isSteady: boolean): readonly PlannedGroup[] {
  let machineId = firstMemberMachine;
  const group = (lkc: string, groupId: string, size: number): PlannedGroup => ({
    lkc,
    groupId,
    sessionTimeoutMs: isSteady ? 6_000 : random.pick([1_500, 2_500, 5_000]),
    rebalanceTimeoutMs: random.pick([1_500, 2_500]),
    members: Array.from({ length: size }, (_, index) => {
      machineId += 1;
      return { machineId, instanceId: random.chance(0.35) ? `${mark(lkc, groupId)}static${index}` : null };
    }),
  });
  const groups = [group(simulatedLkc, "readers", 2 + random.below(3)), group(otherLkc, "readers", 1 + random.below(2))];
  if (random.chance(0.5)) groups.push(group(simulatedLkc, narrowingGroupId, 1 + random.below(2)));
  return groups;
}

/** How the ids of a group's members begin. */
export function mark(lkc: string, groupId: string): string {
  return `${lkc}.${groupId}.`;
}

/** Ids of static members are their instance's with a UUID behind it. */
export function ownerOf(memberId: string): string {
  return memberId.replace(/(static\d+)-[0-9a-f-]{36}$/, "$1");
}

export function groupKey(lkc: string, groupId: string): string {
  return `${lkc}/${groupId}`;
}
