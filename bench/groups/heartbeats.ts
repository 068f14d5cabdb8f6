/** Many small groups that only show that they are there: a connection a member, a heartbeat every three seconds each. */
import { KafkaConnection } from "../kafka-connection.ts";
import { memoryMib } from "../processes.ts";
import { type Cell, sleep } from "./cell.ts";
import { encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";
import { coordinatorsOf, GroupMember } from "./group-member.ts";
import { type Figures, freshName, range, spentOn } from "./measure.ts";

const groupsCount = 1_000;
const membersPerGroup = 3;
const partitionsPerMember = 4;
const topic = "orders.customer-events.v1";
const heartbeatMs = 3_000;
const tickMs = 10;
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
    const underWay: Promise<void>[] = [];
    for (const groupId of groupIds) {
      const address = coordinators.get(groupId)?.address ?? "";
      const members: GroupMember[] = [];
      for (const _ of range(membersPerGroup))
        members.push(new GroupMember(groupId, await KafkaConnection.open(address)));
      groups.push(members);
      underWay.push(joinTogether(members));
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

async function joinTogether(members: readonly GroupMember[]): Promise<void> {
  const metadata = encodeSubscription({ topic, owned: [], generationId: -1, withUserData: false });
  await Promise.all(
    members.map(async (member) => {
      const { leader, members: joined } = await member.join([{ name: "range", metadata }]);
      const isLeader = leader === member.memberId;
      const assignments = (isLeader ? joined : []).map(({ memberId }, index) => ({
        memberId,
        assignment: encodeAssignment(
          topic,
          range(partitionsPerMember).map((partition) => index * partitionsPerMember + partition),
        ),
      }));
      await member.sync("range", assignments);
    }),
  );
}

/** Every member once in `heartbeatMs`, evenly spread. */
async function beat(members: readonly GroupMember[], ms: number): Promise<void> {
  const startMs = performance.now();
  const underWay: Promise<void>[] = [];
  let made = 0;
  for (let nowMs = startMs; nowMs < startMs + ms; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - startMs) / heartbeatMs) * members.length);
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
