/**
 * One group of 100 members that share 1,000 partitions: from the moment that one more joins, or one leaves, until all have
 * their assignment. The members ask at once whether they have to rejoin; real ones find out by their next heartbeat, three
 * seconds later at most, whoever coordinates.
 *
 * Eager (range): everybody gives up all, one round. Cooperative: members say what they own; when one joins, the others give
 * up their surplus in the first round, and it is handed out in the second. When one leaves one round is enough.
 *
 * The topic is a name: no coordinator of the classic protocol looks at partitions.
 */
import { KafkaConnection } from "../kafka-connection.ts";
import { type Cell, sleep } from "./cell.ts";
import { decodeAssignment, decodeOwned, encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";
import { type Assignments, coordinatorsOf, GroupMember, type JoinAnswer } from "./group-member.ts";
import { type Figures, freshName, median, range, type Spent, spentOn } from "./measure.ts";

const membersCount = 100;
const partitionsCount = 1_000;
const topic = "orders.customer-events.v1";
const askAgainMs = 10;
const askMsMax = 30_000;

type Mode = "eager" | "cooperative";

interface Consumer {
  readonly member: GroupMember;
  owned: number[];
}

/** Rebalances with one more member, then with one less, so many times. */
export async function measureRebalance(cell: Cell, mode: Mode, repetitions: number): Promise<Figures> {
  const groupId = freshName(`rebalance-${mode}`);
  const address = (await coordinatorsOf(cell, [groupId])).get(groupId)?.address ?? "";
  const consumer = async (): Promise<Consumer> => ({
    member: new GroupMember(groupId, await KafkaConnection.open(address)),
    owned: [],
  });
  const group = await Promise.all(range(membersCount).map(consumer));
  await rebalance(mode, group, []);
  const joins: Spent[] = [];
  const leaves: Spent[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const joining = await consumer();
    joins.push(await spentOn(cell, () => rebalance(mode, [joining], group)));
    group.push(joining);
    checkComplete(group);
    const leaving = group.shift() as Consumer;
    leaves.push(
      await spentOn(cell, async () => {
        await Promise.all([leaving.member.leave(), rebalance(mode, [], group)]);
      }),
    );
    leaving.member.connection.close();
    checkComplete(group);
  }
  await group[0]?.member.leave(group.map(({ member }) => member.memberId));
  for (const { member } of group) member.connection.close();
  const wallMs = (spent: readonly Spent[]) => median(spent.map(({ seconds }) => seconds * 1_000));
  const cpuMs = (spent: readonly Spent[]) =>
    (spent.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 1_000) / spent.length;
  return {
    [`${mode}, one joins, ms`]: wallMs(joins),
    [`${mode}, one leaves, ms`]: wallMs(leaves),
    [`${mode}, one joins, broker CPU ms`]: cpuMs(joins),
    [`${mode}, one leaves, broker CPU ms`]: cpuMs(leaves),
  };
}

/** Rounds until nobody has anything to give up any more. `starting` join by themselves, `others` ask and are told to. */
async function rebalance(mode: Mode, starting: readonly Consumer[], others: readonly Consumer[]): Promise<void> {
  const all = [...starting, ...others];
  let first = starting;
  do {
    const revoking: Consumer[] = [];
    const joinAndSync = async (consumer: Consumer) => {
      if (await round(mode, consumer)) revoking.push(consumer);
    };
    const asking = all.filter((consumer) => !first.includes(consumer));
    await Promise.all([
      ...first.map(joinAndSync),
      ...asking.map(async (consumer) => {
        await untilToldToJoin(consumer.member);
        await joinAndSync(consumer);
      }),
    ]);
    first = revoking;
  } while (first.length > 0);
}

async function untilToldToJoin(member: GroupMember): Promise<void> {
  const deadlineMs = performance.now() + askMsMax;
  for (let answer = ""; answer !== "REBALANCE_IN_PROGRESS"; ) {
    answer = await member.heartbeat();
    if (answer === "NONE") await sleep(askAgainMs);
    else if (answer !== "REBALANCE_IN_PROGRESS") throw new Error(`a heartbeat was answered ${answer}`);
    if (performance.now() > deadlineMs) throw new Error("nobody was told to join again");
  }
}

/** True when the member had to give something up, and so has to join again. */
async function round(mode: Mode, consumer: Consumer): Promise<boolean> {
  const { member } = consumer;
  const isEager = mode === "eager";
  const owned = isEager ? [] : consumer.owned;
  const metadata = encodeSubscription({ topic, owned, generationId: member.generationId, withUserData: !isEager });
  const name = isEager ? "range" : "cooperative-sticky";
  const joined = await member.join([{ name, metadata }]);
  const isLeader = joined.leader === joined.memberId;
  const assignments = isLeader ? (isEager ? assignRanges(joined) : assignSticky(joined)) : [];
  const before = consumer.owned;
  consumer.owned = decodeAssignment(await member.sync(name, assignments));
  if (isEager) return false;
  const after = new Set(consumer.owned);
  return before.some((partition) => !after.has(partition));
}

function assignRanges({ members }: JoinAnswer): Assignments {
  const ids = members.map(({ memberId }) => memberId).sort();
  let next = 0;
  return ids.map((memberId, index) => {
    const count = shareOf(index, ids.length);
    const partitions = range(count).map((offset) => next + offset);
    next += count;
    return { memberId, assignment: encodeAssignment(topic, partitions) };
  });
}

/** Everybody keeps what it owns up to its share; what somebody still owns is given to nobody else. */
function assignSticky({ members }: JoinAnswer): Assignments {
  const owned = members.map(({ memberId, metadata }) => ({ memberId, partitions: decodeOwned(metadata as Buffer) }));
  owned.sort((a, b) => b.partitions.length - a.partitions.length);
  const taken = new Set(owned.flatMap(({ partitions }) => partitions));
  const free = range(partitionsCount).filter((partition) => !taken.has(partition));
  return owned.map(({ memberId, partitions }, index) => {
    const share = shareOf(index, owned.length);
    const kept = partitions.slice(0, share);
    kept.push(...free.splice(0, share - kept.length));
    return { memberId, assignment: encodeAssignment(topic, kept) };
  });
}

function shareOf(index: number, members: number): number {
  return Math.floor(partitionsCount / members) + (index < partitionsCount % members ? 1 : 0);
}

/** Everybody is in one generation, and every partition is somebody's. */
function checkComplete(group: readonly Consumer[]): void {
  const generations = new Set(group.map(({ member }) => member.generationId));
  const partitions = group.flatMap(({ owned }) => owned);
  if (generations.size !== 1 || partitions.length !== partitionsCount || new Set(partitions).size !== partitionsCount) {
    throw new Error(`${generations.size} generations, ${partitions.length} of ${partitionsCount} partitions assigned`);
  }
}
