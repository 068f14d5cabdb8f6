/** A member of a classic group, as a Java consumer speaks: its requests and what it has to remember between them. */
import type { Decoded } from "../../shared/kafka/codec/fields.ts";
import { kafkaErrorOf } from "../../shared/kafka/error-codes.ts";
import { type FindCoordinatorResponse, findCoordinator } from "../../shared/kafka/schema/find-coordinator.ts";
import { heartbeat } from "../../shared/kafka/schema/heartbeat.ts";
import { joinGroup } from "../../shared/kafka/schema/join-group.ts";
import { leaveGroup } from "../../shared/kafka/schema/leave-group.ts";
import { offsetCommit } from "../../shared/kafka/schema/offset-commit.ts";
import { offsetFetch } from "../../shared/kafka/schema/offset-fetch.ts";
import { syncGroup } from "../../shared/kafka/schema/sync-group.ts";
import { KafkaConnection } from "../kafka-connection.ts";
import { type Cell, sleep } from "./cell.ts";
import { encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";

const versions = { find: 4, join: 9, sync: 5, heartbeat: 4, leave: 5, commit: 9, fetch: 8 } as const;
/** Those of the Java consumer, but the session: long enough for a machine that is busy otherwise. */
const sessionTimeoutMs = 45_000;
const rebalanceTimeoutMs = 300_000;
const coordinatorMsMax = 60_000;
const retryMs = 50;
const joinAttemptsMax = 200;
/** A coordinator that is about to take office, or has just done so. */
const notYet: ReadonlySet<string> = new Set([
  "NOT_COORDINATOR",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
]);
const keysPerLookup = 250;

export type JoinAnswer = Decoded<typeof joinGroup.response>;
export type Assignments = readonly { readonly memberId: string; readonly assignment: Buffer }[];

export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** An answer that has an error where none belongs. */
export class GroupError extends Error {
  override readonly name = "GroupError";
  readonly code: string;

  constructor(what: string, code: number) {
    super(`${what} answered ${errorName(code)}`);
    this.code = errorName(code);
  }
}

export class GroupMember {
  readonly groupId: string;
  connection: KafkaConnection;
  memberId = "";
  generationId = -1;

  constructor(groupId: string, connection: KafkaConnection) {
    this.groupId = groupId;
    this.connection = connection;
  }

  /** Resolves with the generation; a new member asks for its id first. */
  async join(protocols: readonly GroupProtocol[]): Promise<JoinAnswer> {
    const { groupId } = this;
    const request = { groupId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType: "consumer", protocols };
    const ask = () =>
      this.connection.call<JoinAnswer>(joinGroup, versions.join, { ...request, memberId: this.memberId });
    let answer = await ask();
    for (let attempts = 1; attempts < joinAttemptsMax; attempts++) {
      const error = errorName(answer.errorCode);
      if (error === "MEMBER_ID_REQUIRED") this.memberId = answer.memberId;
      else if (notYet.has(error)) await sleep(retryMs);
      else break;
      answer = await ask();
    }
    if (answer.errorCode !== 0) throw new GroupError("JoinGroup", answer.errorCode);
    this.memberId = answer.memberId;
    this.generationId = answer.generationId;
    return answer;
  }

  /** The member's assignment; `assignments` are the leader's for all. */
  async sync(protocolName: string, assignments: Assignments): Promise<Buffer> {
    const { groupId, memberId, generationId } = this;
    const request = { groupId, memberId, generationId, protocolType: "consumer", protocolName, assignments };
    const answer = await this.connection.call<{ errorCode: number; assignment: Buffer }>(
      syncGroup,
      versions.sync,
      request,
    );
    if (answer.errorCode !== 0) throw new GroupError("SyncGroup", answer.errorCode);
    return answer.assignment;
  }

  /** Becomes the only member of its group, with all partitions. */
  async joinAlone(topic: string, partitionsCount: number): Promise<void> {
    const metadata = encodeSubscription({ topic, owned: [], generationId: -1, withUserData: false });
    const assignment = encodeAssignment(
      topic,
      Array.from({ length: partitionsCount }, (_, partition) => partition),
    );
    for (let attempt = 1; ; attempt++) {
      await this.join([{ name: "range", metadata }]);
      try {
        await this.sync("range", [{ memberId: this.memberId, assignment }]);
        return;
      } catch (error) {
        if (!(error instanceof GroupError) || !notYet.has(error.code) || attempt === joinAttemptsMax) throw error;
      }
    }
  }

  /** The error's name, NONE when there is none. */
  async heartbeat(timeoutMs?: number): Promise<string> {
    const { groupId, memberId, generationId } = this;
    const request = { groupId, memberId, generationId };
    const answer = await this.connection.call<{ errorCode: number }>(heartbeat, versions.heartbeat, request, timeoutMs);
    return errorName(answer.errorCode);
  }

  /** Takes these members of the group away, by default this one. */
  async leave(memberIds: readonly string[] = [this.memberId]): Promise<void> {
    const request = { groupId: this.groupId, members: memberIds.map((memberId) => ({ memberId })) };
    const answer = await this.connection.call<{ errorCode: number }>(leaveGroup, versions.leave, request);
    if (answer.errorCode !== 0) throw new GroupError("LeaveGroup", answer.errorCode);
  }

  /** The first error's name, NONE when there is none. */
  async commit(topic: string, partitions: readonly number[], offset: number, timeoutMs?: number): Promise<string> {
    const { groupId, memberId, generationId: generationIdOrMemberEpoch } = this;
    const offsets = partitions.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: offset,
      committedLeaderEpoch: 0,
      committedMetadata: "",
    }));
    const request = { groupId, memberId, generationIdOrMemberEpoch, topics: [{ name: topic, partitions: offsets }] };
    const answer = await this.connection.call<Decoded<typeof offsetCommit.response>>(
      offsetCommit,
      versions.commit,
      request,
      timeoutMs,
    );
    for (const { errorCode } of answer.topics[0]?.partitions ?? []) if (errorCode !== 0) return errorName(errorCode);
    return "NONE";
  }
}

/** What is committed for one partition: -1 for nothing, or the error's name. */
export async function fetchOffset(
  connection: KafkaConnection,
  at: { readonly groupId: string; readonly topic: string; readonly partition: number },
  timeoutMs?: number,
): Promise<number | string> {
  const topics = [{ name: at.topic, partitionIndexes: [at.partition] }];
  const request = { groups: [{ groupId: at.groupId, topics }] };
  const answer = await connection.call<Decoded<typeof offsetFetch.response>>(
    offsetFetch,
    versions.fetch,
    request,
    timeoutMs,
  );
  const group = answer.groups[0];
  const found = group?.topics[0]?.partitions[0];
  const code = group?.errorCode || found?.errorCode || 0;
  return code === 0 ? (found?.committedOffset ?? -1) : errorName(code);
}

export interface Coordinator {
  readonly broker: number;
  readonly address: string;
}

/** Asks one broker once; groups whose coordinator it does not know are missing. */
export async function findCoordinators(
  connection: KafkaConnection,
  groupIds: readonly string[],
  timeoutMs?: number,
): Promise<Map<string, Coordinator>> {
  const request = { keyType: 0, coordinatorKeys: groupIds };
  const answer = await connection.call<FindCoordinatorResponse>(findCoordinator, versions.find, request, timeoutMs);
  const found = (answer.coordinators ?? []).filter(({ errorCode }) => errorCode === 0);
  return new Map(found.map(({ key, nodeId, host, port }) => [key, { broker: nodeId, address: `${host}:${port}` }]));
}

/** The coordinators of all these groups; the first look-up has their topic made. */
export async function coordinatorsOf(cell: Cell, groupIds: readonly string[]): Promise<Map<string, Coordinator>> {
  const deadlineMs = performance.now() + coordinatorMsMax;
  const connection = await KafkaConnection.open(cell.bootstrap[0] ?? "");
  const all = new Map<string, Coordinator>();
  for (let missing = groupIds; missing.length > 0; missing = groupIds.filter((groupId) => !all.has(groupId))) {
    if (performance.now() > deadlineMs) throw new Error(`${cell.name}: ${missing.length} groups without coordinator`);
    const found = await findCoordinators(connection, missing.slice(0, keysPerLookup));
    for (const [groupId, coordinator] of found) all.set(groupId, coordinator);
    if (found.size === 0) await sleep(retryMs);
  }
  connection.close();
  return all;
}

function errorName(code: number): string {
  return kafkaErrorOf(code)?.name ?? String(code);
}
