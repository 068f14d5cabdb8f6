import { deleteGroupsHandler } from "../../../../broker/handlers/delete-groups.ts";
import { describeGroupsHandler } from "../../../../broker/handlers/describe-groups.ts";
import { heartbeatHandler } from "../../../../broker/handlers/heartbeat.ts";
import { joinGroupHandler } from "../../../../broker/handlers/join-group.ts";
import { leaveGroupHandler } from "../../../../broker/handlers/leave-group.ts";
import { listGroupsHandler } from "../../../../broker/handlers/list-groups.ts";
import { offsetCommitHandler } from "../../../../broker/handlers/offset-commit.ts";
import { offsetFetchHandler } from "../../../../broker/handlers/offset-fetch.ts";
import { syncGroupHandler } from "../../../../broker/handlers/sync-group.ts";
import { type ErrorName, kafkaErrorOf } from "../../../../shared/kafka/error-codes.ts";
import { type InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";
import type { InMemoryPartition } from "./in-memory-partitions.ts";

function errorName(code: number): ErrorName {
  const error = kafkaErrorOf(code);
  if (error === undefined) throw new Error(`there is no error ${code}`);
  return error.name;
}

/** A member's subscription to topics, as consumers encode it (version 0). */
export function subscription(...topics: string[]): Buffer {
  const parts = [Buffer.from([0, 0, 0, 0, 0, topics.length])];
  for (const topic of topics) parts.push(Buffer.from([0, topic.length]), Buffer.from(topic));
  return Buffer.concat([...parts, Buffer.from([255, 255, 255, 255])]);
}

/** A client of one tenant in one group, which asks through the real handlers and codec. */
export class GroupClient {
  readonly client: InMemoryClient;
  readonly groupId: string;
  memberId = "";
  generationId = -1;

  constructor(broker: InMemoryBroker, lkc: string, groupId: string) {
    this.client = new InMemoryClient(broker, lkc);
    this.groupId = groupId;
  }

  /** Joins with the id that it has; takes the id and generation of the answer. */
  async join(topics: readonly string[] = ["orders"], version = 9) {
    const answer = await this.client.call(joinGroupHandler, version, {
      groupId: this.groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: this.memberId,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: subscription(...topics) }],
    });
    this.memberId = answer.memberId;
    this.generationId = answer.generationId;
    return answer;
  }

  async sync(assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[] = []) {
    const { groupId, generationId, memberId } = this;
    return this.client.call(syncGroupHandler, 5, {
      groupId,
      generationId,
      memberId,
      protocolType: "consumer",
      protocolName: "range",
      assignments: [...assignments],
    });
  }

  async heartbeat(): Promise<ErrorName> {
    const { groupId, generationId, memberId } = this;
    const answer = await this.client.call(heartbeatHandler, 4, { groupId, generationId, memberId });
    return errorName(answer.errorCode);
  }

  async leave(): Promise<ErrorName> {
    const members = [{ memberId: this.memberId }];
    const answer = await this.client.call(leaveGroupHandler, 5, { groupId: this.groupId, members });
    return errorName(answer.members[0]?.errorCode ?? answer.errorCode);
  }

  /** Commits one offset; the error of its partition. */
  async commit(offset: number, at: { readonly topic?: string; readonly partition?: number } = {}): Promise<ErrorName> {
    const { groupId, generationId, memberId } = this;
    const { topic = "orders", partition = 0 } = at;
    const answer = await this.client.call(offsetCommitHandler, 9, {
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: `at ${offset}` }],
        },
      ],
    });
    return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  }

  /** What is committed for the partition; -1 for nothing; the error's name when the group has one. */
  async committed(topic = "orders", partition = 0): Promise<number | ErrorName> {
    const answer = await this.client.call(offsetFetchHandler, 8, {
      groups: [{ groupId: this.groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }],
    });
    const group = answer.groups[0];
    if (group === undefined || group.errorCode !== 0) return errorName(group?.errorCode ?? -1);
    return group.topics[0]?.partitions[0]?.committedOffset ?? -1;
  }

  async describe(version = 6) {
    const answer = await this.client.call(describeGroupsHandler, version, { groups: [this.groupId] });
    const group = answer.groups[0];
    if (group === undefined) throw new Error("nothing was described");
    return group;
  }

  /** The error's name when there is one. */
  async listed(): Promise<string[] | ErrorName> {
    const answer = await this.client.call(listGroupsHandler, 5, {});
    return answer.errorCode === 0 ? answer.groups.map(({ groupId }) => groupId) : errorName(answer.errorCode);
  }

  async remove(): Promise<ErrorName> {
    const answer = await this.client.call(deleteGroupsHandler, 2, { groupsNames: [this.groupId] });
    return errorName(answer.results[0]?.errorCode ?? -1);
  }
}

/** A group of one member, which has its assignment. */
export async function stableMember(
  broker: InMemoryBroker,
  lkc: string,
  groupId: string,
  assignment = Buffer.from("all of it"),
): Promise<GroupClient> {
  const member = new GroupClient(broker, lkc, groupId);
  // The first time it is given its id.
  await member.join();
  const joining = member.join();
  await broker.time.advance(3_000);
  await joining;
  await member.sync([{ memberId: member.memberId, assignment }]);
  return member;
}

/** The broker loses the internal partition's leadership and has it again, in a newer epoch. */
export async function failOver(broker: InMemoryBroker, partition: InMemoryPartition): Promise<void> {
  partition.loseLeadership();
  broker.groups.onLeadership(partition);
  partition.epoch += 1;
  partition.leading = true;
  broker.groups.onLeadership(partition);
  await settle(broker);
}

/** Appends that follow from one another are done. */
export async function settle(broker: InMemoryBroker): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await broker.time.settle();
}
