/** Offset commits, by members in their generation: as many as can be, and at a constant rate. */
import { KafkaConnection } from "../kafka-connection.ts";
import { type Cell, ensureTopic, sleep } from "./cell.ts";
import { coordinatorsOf, fetchOffset, GroupMember } from "./group-member.ts";
import { type Figures, freshName, quantile, range, type Spent, spentOn } from "./measure.ts";

const topic = "bench-commits";
const partitionsCount = 10;
const connectionsPerGroup = 4;
const inFlightPerConnection = 16;
const groupsCount = 100;
const commitsPerSecond = 200;
/** After a commit that was refused; the Java client's retry.backoff.ms. */
const retryMs = 100;
const refusedMax = 1_000;
const tickMs = 2;

/** Commits of this run that were refused and made again. */
let refused = 0;

export interface CommitPlan {
  /** Of each of the three parts. */
  readonly seconds: number;
}

export async function measureCommits(cell: Cell, { seconds }: CommitPlan): Promise<Figures> {
  await ensureTopic(cell, topic, partitionsCount);
  const groupIds = range(groupsCount).map((index) => freshName(`commits-${index}`));
  const coordinators = await coordinatorsOf(cell, groupIds);
  const members = await Promise.all(
    groupIds.map(async (groupId) => {
      const address = coordinators.get(groupId)?.address ?? "";
      const member = new GroupMember(groupId, await KafkaConnection.open(address));
      await member.joinAlone(topic, partitionsCount);
      return member;
    }),
  );
  const first = members[0] as GroupMember;
  const address = coordinators.get(first.groupId)?.address ?? "";
  refused = 0;
  const figures: Figures = {
    ...(await oneGroup(cell, first, address, seconds)),
    ...(await manyGroups(cell, members, seconds)),
    ...(await steadily(cell, members, seconds)),
    "commits refused": refused,
  };
  for (const member of members) {
    await member.leave();
    member.connection.close();
  }
  return figures;
}

/** One partition a commit, many commits on their way on few connections. */
async function oneGroup(cell: Cell, member: GroupMember, address: string, seconds: number): Promise<Figures> {
  const connections = await Promise.all(range(connectionsPerGroup).map(() => KafkaConnection.open(address)));
  const writers = connections.flatMap((connection) =>
    range(inFlightPerConnection).map(() => {
      const writer = new GroupMember(member.groupId, connection);
      writer.memberId = member.memberId;
      writer.generationId = member.generationId;
      return writer;
    }),
  );
  let commits = 0;
  const spent = await spentOn(cell, async () => {
    const endMs = performance.now() + seconds * 1_000;
    await Promise.all(
      writers.map(async (writer, index) => {
        while (performance.now() < endMs) {
          commits += 1;
          await commit(writer, [index % partitionsCount], commits);
        }
      }),
    );
  });
  for (const connection of connections) connection.close();
  await checkCommitted(member);
  return perCommit("one group, 1 partition", commits, spent);
}

/** Ten partitions a commit, one commit on its way for each group. */
async function manyGroups(cell: Cell, members: readonly GroupMember[], seconds: number): Promise<Figures> {
  let commits = 0;
  const partitions = range(partitionsCount);
  const spent = await spentOn(cell, async () => {
    const endMs = performance.now() + seconds * 1_000;
    await Promise.all(
      members.map(async (member) => {
        for (let offset = 1; performance.now() < endMs; offset++) {
          commits += 1;
          await commit(member, partitions, offset);
        }
      }),
    );
  });
  return perCommit(`${groupsCount} groups, ${partitionsCount} partitions`, commits, spent);
}

/** The groups take turns; a commit's latency counts from when it was due. */
async function steadily(cell: Cell, members: readonly GroupMember[], seconds: number): Promise<Figures> {
  const partitions = range(partitionsCount);
  const latencies: number[] = [];
  const underWay: Promise<void>[] = [];
  const spent = await spentOn(cell, async () => {
    const startMs = performance.now();
    for (let made = 0; made < commitsPerSecond * seconds; ) {
      const due = 1 + Math.floor(((performance.now() - startMs) / 1_000) * commitsPerSecond);
      for (; made < due; made++) {
        const dueMs = startMs + (made * 1_000) / commitsPerSecond;
        const member = members[made % members.length] as GroupMember;
        const done = commit(member, partitions, made).then(() => void latencies.push(performance.now() - dueMs));
        underWay.push(done);
      }
      await sleep(tickMs);
    }
    await Promise.all(underWay);
  });
  const name = `${commitsPerSecond} commits/s`;
  return {
    [`${name}, p50 ms`]: quantile(latencies, 0.5),
    [`${name}, p99 ms`]: quantile(latencies, 0.99),
    [`${name}, broker CPU-s/10,000`]: (spent.cpuSeconds * 10_000) / latencies.length,
  };
}

/** Until it is committed. */
async function commit(member: GroupMember, partitions: readonly number[], offset: number): Promise<void> {
  for (;;) {
    const error = await member.commit(topic, partitions, offset);
    if (error === "NONE") return;
    refused += 1;
    if (error !== "COORDINATOR_NOT_AVAILABLE" || refused > refusedMax)
      throw new Error(`a commit was answered ${error}`);
    await sleep(retryMs);
  }
}

/** Something is committed: that we measured commits, and not refusals. */
async function checkCommitted({ groupId, connection }: GroupMember): Promise<void> {
  const found = await fetchOffset(connection, { groupId, topic, partition: 0 });
  if (typeof found === "string" || found < 1) throw new Error(`committed, and then found: ${found}`);
}

function perCommit(name: string, commits: number, { seconds, cpuSeconds }: Spent): Figures {
  return {
    [`${name}, commits/s`]: commits / seconds,
    [`${name}, broker CPU-s/10,000`]: (cpuSeconds * 10_000) / commits,
  };
}
