/** Many small groups that only show that they are there: a connection a member, a heartbeat every three seconds each. */
import { KafkaConnection } from "../kafka-connection.ts";
import { memoryMib } from "../processes.ts";
import { type Cell, sleep } from "./cell.ts";
import { encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";
import { coordinatorsOf, GroupError, GroupMember } from "./group-member.ts";
import { type Figures, freshName, range, spentOn } from "./measure.ts";

const groupsCount = 1_000;
const membersPerGroup = 3;
const partitionsPerMember = 4;
const topic = "orders.customer-events.v1";
const heartbeatMs = 3_000;
const tickMs = 10;
/** Groups that join at once. */
const joiningMax = 250;
const joinAttemptsMax = 5;
const joinAgain: ReadonlySet<string> = new Set(["COORDINATOR_NOT_AVAILABLE", "REBALANCE_IN_PROGRESS"]);
const idleMs = 4_000;
const settleMs = 3_000;
const measuredMs = 15_000;

export async function measureHeartbeats(cell: Cell): Promise<Figures> {
  const groupIds = range(groupsCount).map((index) => freshName(`beating-${index}`));
  const coordinators = await coordinatorsOf(cell, groupIds);
  const idle = await spentOn(cell, () => sleep(idleMs));
  const memoryBefore = sum(memoryMib(cell.pids()));
  const groups: GroupMember[][] = [];
  const joining = await spentOn(cell, async () => {
    let underWay: Promise<void>[] = [];
    for (const groupId of groupIds) {
      const address = coordinators.get(groupId)?.address ?? "";
      const members: GroupMember[] = [];
      for (const _ of range(membersPerGroup))
        members.push(new GroupMember(groupId, await KafkaConnection.open(address)));
      groups.push(members);
      underWay.push(joinTogether(members));
      if (underWay.length < joiningMax) continue;
      await Promise.all(underWay);
      underWay = [];
    }
    await Promise.all(underWay);
  });
  const members = groups.flat();
  await beat(members, settleMs);
  const beating = await spentOn(cell, () => beat(members, measuredMs));
  const memoryAfter = sum(memoryMib(cell.pids()));
  for (const group of groups) await group[0]?.leave(group.map(({ memberId }) => memberId));
  for (const { connection } of members) connection.close();
  const perGroups = `${groupsCount} groups of ${membersPerGroup}`;
  return {
    [`${perGroups}, join, broker CPU-s`]: joining.cpuSeconds - (idle.cpuSeconds / idle.seconds) * joining.seconds,
    [`${perGroups}, heartbeats, broker cores`]: beating.cpuSeconds / beating.seconds,
    "idle, broker cores": idle.cpuSeconds / idle.seconds,
    [`${perGroups}, memory growth, MiB`]: memoryAfter - memoryBefore,
    "memory of all brokers after, MiB": memoryAfter,
  };
}

/** Again, when a coordinator that is busy could not store what the leader assigned. */
async function joinTogether(members: readonly GroupMember[]): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      for (let attempt = 1; !(await joinOnce(member)); attempt++)
        if (attempt === joinAttemptsMax) throw new Error(`${member.groupId} did not become stable`);
    }),
  );
}

async function joinOnce(member: GroupMember): Promise<boolean> {
  const metadata = encodeSubscription({ topic, owned: [], generationId: -1, withUserData: false });
  const { leader, members } = await member.join([{ name: "range", metadata }]);
  const isLeader = leader === member.memberId;
  const assignments = (isLeader ? members : []).map(({ memberId }, index) => {
    const first = index * partitionsPerMember;
    const partitions = range(partitionsPerMember).map((partition) => first + partition);
    return { memberId, assignment: encodeAssignment(topic, partitions) };
  });
  try {
    await member.sync("range", assignments);
    return true;
  } catch (error) {
    if (error instanceof GroupError && joinAgain.has(error.code)) return false;
    throw error;
  }
}

/** Every member once in `heartbeatMs`, evenly spread. */
async function beat(members: readonly GroupMember[], ms: number): Promise<void> {
  const startMs = performance.now();
  const underWay: Promise<void>[] = [];
  let made = 0;
  for (let nowMs = startMs; nowMs < startMs + ms; nowMs = performance.now()) {
    const due = 1 + Math.floor(((nowMs - startMs) / heartbeatMs) * members.length);
    for (; made < due; made++) underWay.push(heartbeat(members[made % members.length] as GroupMember));
    await sleep(tickMs);
  }
  await Promise.all(underWay);
}

async function heartbeat(member: GroupMember): Promise<void> {
  const answer = await member.heartbeat();
  if (answer !== "NONE") throw new Error(`a heartbeat was answered ${answer}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
