import { beforeEach, describe, expect, test } from "vitest";
import { groupPartition } from "../../../../broker/coordinator/internal-partition.ts";
import { describeGroupsHandler } from "../../../../broker/handlers/describe-groups.ts";
import { findCoordinatorHandler } from "../../../../broker/handlers/find-coordinator.ts";
import { joinGroupHandler } from "../../../../broker/handlers/join-group.ts";
import { listGroupsHandler } from "../../../../broker/handlers/list-groups.ts";
import { offsetCommitHandler } from "../../../../broker/handlers/offset-commit.ts";
import { offsetDeleteHandler } from "../../../../broker/handlers/offset-delete.ts";
import { offsetFetchHandler } from "../../../../broker/handlers/offset-fetch.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { failOver, GroupClient, stableMember as joinAlone, settle, subscription } from "./group-client.ts";
import { InMemoryBroker, InMemoryClient, listenerName } from "./in-memory-broker.ts";
import type { InMemoryPartition } from "./in-memory-partitions.ts";

const mine = "lkc-aaaaa";

let broker: InMemoryBroker;
let internal: readonly InMemoryPartition[];

beforeEach(async () => {
  broker = new InMemoryBroker(mine);
  broker.topic(mine, "orders", 4);
  internal = await broker.hostGroups();
});

function client(groupId = "group", lkc = mine): GroupClient {
  return new GroupClient(broker, lkc, groupId);
}

/** The internal partition in which a group of the first tenant lives. */
function home(groupId = "group", lkc = mine): InMemoryPartition {
  return internal[groupPartition({ lkc, groupId }, internal.length)]!;
}

function stableMember(groupId = "group", lkc = mine): Promise<GroupClient> {
  return joinAlone(broker, lkc, groupId);
}

describe("a group's life", () => {
  test("members join, are assigned, beat, commit, leave; the group is described, listed and deleted", async () => {
    const member = await stableMember();
    expect(await member.heartbeat()).toBe("NONE");
    expect(await member.commit(42)).toBe("NONE");
    expect(await member.committed()).toBe(42);
    expect(await member.committed("orders", 1)).toBe(-1);
    expect(await member.describe()).toMatchObject({
      groupState: "Stable",
      protocolType: "consumer",
      protocolData: "range",
      members: [{ memberId: member.memberId, clientHost: "/127.0.0.1", memberAssignment: Buffer.from("all of it") }],
    });
    expect(await member.listed()).toEqual(["group"]);
    expect(await member.remove()).toBe("NON_EMPTY_GROUP");

    expect(await member.leave()).toBe("NONE");

    expect(await member.describe()).toMatchObject({ groupState: "Empty", members: [] });
    expect(await member.remove()).toBe("NONE");
    expect(await member.describe()).toMatchObject({ errorCode: errorCode.GROUP_ID_NOT_FOUND });
    expect(await member.describe(5)).toMatchObject({ errorCode: 0, groupState: "Dead" });
    expect(await member.committed()).toBe(-1);
    expect(await member.remove()).toBe("GROUP_ID_NOT_FOUND");
  });

  test("a member with a name as long as the protocol allows is called after its beginning", async () => {
    const static32k = new InMemoryClient(broker, mine);
    const joining = static32k.call(joinGroupHandler, 9, {
      groupId: "group",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: "",
      groupInstanceId: `${"i".repeat(248)}\u{1F600}${"i".repeat(32_000)}`,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: subscription("orders") }],
    });
    await broker.time.advance(3_000);
    const { errorCode: error, memberId } = await joining;
    expect(error).toBe(0);
    expect(memberId).toMatch(/^i{248}\ufffd-[0-9a-f-]{36}$/);
  });

  test("a member that falls silent is taken out after its session timeout", async () => {
    const member = await stableMember();
    await broker.time.advance(9_999);
    expect((await member.describe()).members).toHaveLength(1);
    await broker.time.advance(10);
    expect((await member.describe()).members).toHaveLength(0);
    expect(await member.heartbeat()).toBe("UNKNOWN_MEMBER_ID");
  });

  test("a client that is gone while it waits leaves nothing behind that waits", async () => {
    const member = client();
    await member.join();
    const joining = member.join();
    expect(member.client.endings).toBe(1);
    member.client.close();
    expect((await joining).errorCode).not.toBe(0);
  });

  test("a name is needed to join; an id of a group that is gone is unknown", async () => {
    expect((await client("").join()).errorCode).toBe(errorCode.INVALID_GROUP_ID);
    const member = client();
    member.memberId = "an old one";
    expect((await member.join()).errorCode).toBe(errorCode.UNKNOWN_MEMBER_ID);
  });
});

describe("an answer about many groups", () => {
  test("is no larger than its bound, however often a large group is named; clients ask for the rest again", async () => {
    const large = await joinAlone(broker, mine, "large", Buffer.alloc(7_000_000));
    expect((await large.describe()).members[0]?.memberAssignment).toHaveLength(7_000_000);

    const groups = Array.from({ length: 1_000 }, () => "large");
    const described = await large.client.call(describeGroupsHandler, 6, { groups });
    const errors = described.groups.map((each) => each.errorCode);
    expect(errors.filter((error) => error === 0)).toHaveLength(2);
    expect(errors.filter((error) => error === errorCode.COORDINATOR_LOAD_IN_PROGRESS)).toHaveLength(998);
  });

  test("lists those in the wanted states and of the wanted types, however many words are in the filters", async () => {
    await stableMember("busy");
    await client("simple").commit(7);
    const listed = async (statesFilter: readonly string[], typesFilter: readonly string[] = []) => {
      const filters = { statesFilter: [...statesFilter], typesFilter: [...typesFilter] };
      const { groups } = await client().client.call(listGroupsHandler, 5, filters);
      return groups.map(({ groupId }) => groupId).sort();
    };
    expect(await listed([])).toEqual(["busy", "simple"]);
    expect(await listed(["sTABLE"])).toEqual(["busy"]);
    expect(await listed(["Empty", "Dead"], ["consumer", "Classic"])).toEqual(["simple"]);
    expect(await listed([], ["consumer"])).toEqual([]);
    const words = Array.from({ length: 100_000 }, (_, index) => `state ${index}`);
    expect(await listed(words)).toEqual([]);
    expect(await listed([...words, "empty"])).toEqual(["simple"]);
  });

  test("tells what was committed with an offset once", async () => {
    const simple = client("simple");
    const metadata = "m".repeat(4_096);
    const one = {
      name: "orders",
      partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: metadata }],
    };
    await simple.client.call(offsetCommitHandler, 9, { groupId: "simple", memberId: "", topics: [one] });
    const asked = [{ name: "orders", partitionIndexes: [0, 0, 1, 1] }];
    const { groups } = await simple.client.call(offsetFetchHandler, 9, {
      groups: [{ groupId: "simple", topics: asked }],
    });
    const { INVALID_REQUEST } = errorCode;
    expect(groups[0]?.topics[0]?.partitions.map((each) => each.errorCode)).toEqual([0, INVALID_REQUEST, 0, 0]);
    const old = await simple.client.call(offsetFetchHandler, 7, { groupId: "simple", topics: asked });
    expect(old.topics[0]?.partitions.map((each) => each.errorCode)).toEqual([0, INVALID_REQUEST, 0, 0]);

    const often = Array.from({ length: 10_000 }, () => ({ groupId: "simple", topics: null }));
    const all = await simple.client.call(offsetFetchHandler, 9, { groups: often });
    const answered = all.groups.filter((each) => each.errorCode === 0);
    expect(answered.length).toBeGreaterThan(1_000);
    expect(answered.length).toBeLessThan(5_000);
  });
});

describe("offsets", () => {
  test("of simple consumers need no members", async () => {
    const simple = client("simple");
    expect(await simple.commit(7)).toBe("NONE");
    expect(await simple.committed()).toBe(7);
    expect(await simple.describe()).toMatchObject({ groupState: "Empty", protocolType: "" });
  });

  test("are refused with another generation, by strangers, and for a group that is not there", async () => {
    const member = await stableMember();
    member.generationId += 1;
    expect(await member.commit(1)).toBe("ILLEGAL_GENERATION");
    member.generationId -= 1;
    member.memberId = "somebody else";
    expect(await member.commit(1)).toBe("UNKNOWN_MEMBER_ID");
    const none = client("none");
    none.generationId = 3;
    expect(await none.commit(1)).toBe("ILLEGAL_GENERATION");
  });

  test("of unknown topics and partitions, or with too much metadata, are refused each for itself", async () => {
    const asking = new InMemoryClient(broker, mine);
    const partition = (partitionIndex: number, committedMetadata: string) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata,
    });
    const answer = await asking.call(offsetCommitHandler, 9, {
      groupId: "group",
      memberId: "",
      topics: [
        { name: "orders", partitions: [partition(0, "m"), partition(9, "m"), partition(1, "m".repeat(4_097))] },
        { name: "absent", partitions: [partition(0, "m")] },
      ],
    });
    expect(answer.topics.map(({ partitions }) => partitions.map((one) => one.errorCode))).toEqual([
      [0, errorCode.UNKNOWN_TOPIC_OR_PARTITION, errorCode.OFFSET_METADATA_TOO_LARGE],
      [errorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  test("can be committed and fetched by topic id", async () => {
    const { wireId } = broker.topic(mine, "by-id", 1);
    const asking = new InMemoryClient(broker, mine);
    const partitions = [{ partitionIndex: 0, committedOffset: 11, committedMetadata: null }];
    const topics = [{ topicId: wireId, partitions }];
    const committed = await asking.call(offsetCommitHandler, 10, { groupId: "group", memberId: "", topics });
    expect(committed.topics).toMatchObject([{ topicId: wireId, partitions: [{ errorCode: 0 }] }]);

    const one = await asking.call(offsetFetchHandler, 10, {
      groups: [{ groupId: "group", topics: [{ topicId: wireId, partitionIndexes: [0] }] }],
    });
    const all = await asking.call(offsetFetchHandler, 10, { groups: [{ groupId: "group", topics: null }] });

    const expected = [{ topicId: wireId, partitions: [{ partitionIndex: 0, committedOffset: 11, metadata: "" }] }];
    expect(one.groups[0]?.topics).toMatchObject(expected);
    expect(all.groups[0]?.topics).toMatchObject(expected);
  });

  test("are answered in the shapes of every version", async () => {
    await client().commit(5);
    const asking = new InMemoryClient(broker, mine);
    for (let version = 1; version < 8; version += 1) {
      const topics = [{ name: "orders", partitionIndexes: [0, 1] }];
      const answer = await asking.call(offsetFetchHandler, version, { groupId: "group", topics });
      expect(answer.topics[0]?.partitions.map(({ committedOffset }) => committedOffset)).toEqual([5, -1]);
      if (version === 1) continue;
      const all = await asking.call(offsetFetchHandler, version, { groupId: "group", topics: null });
      expect(all.topics).toMatchObject([{ name: "orders", partitions: [{ partitionIndex: 0, committedOffset: 5 }] }]);
    }
  });

  test("are not acknowledged before a quorum has them, and not seen either", async () => {
    const simple = client();
    await simple.commit(1);
    home().commitsAtOnce = false;
    const committing = simple.commit(2);
    await broker.time.settle();
    expect(await simple.committed()).toBe(1);
    home().commit();
    expect(await committing).toBe("NONE");
    expect(await simple.committed()).toBe(2);
  });

  test("that take too long to commit are unknown to the client, and seen when they are committed after all", async () => {
    const simple = client();
    await simple.commit(1);
    home().commitsAtOnce = false;
    const committing = simple.commit(2);
    await broker.time.settle();
    await broker.time.advance(5_000);
    expect(await committing).toBe("COORDINATOR_NOT_AVAILABLE");
    home().commit();
    expect(await simple.committed()).toBe(2);
  });

  test("can be deleted for topics that nobody reads", async () => {
    broker.topic(mine, "clicks", 1);
    const member = await stableMember();
    await member.commit(1);
    await member.commit(2, { topic: "clicks" });
    const answer = await member.client.call(offsetDeleteHandler, 0, {
      groupId: "group",
      topics: ["orders", "clicks", "absent"].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
    });
    expect(answer.topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      errorCode.GROUP_SUBSCRIBED_TO_TOPIC,
      0,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect([await member.committed(), await member.committed("clicks")]).toEqual([1, -1]);
  });

  test("do not outlive their topic: one of the same name starts without", async () => {
    const simple = client();
    await simple.commit(1);
    const { topicId } = broker.image().topicsOf(mine)!.get("orders")!;
    broker.apply({ type: "topic-deleted", topicId });
    await settle(broker);
    broker.topic(mine, "orders", 1);
    expect(await simple.committed()).toBe(-1);
    await failOver(broker, home());
    expect(await simple.committed()).toBe(-1);
  });

  test("expire so long after the last member left, and the group with them", async () => {
    const member = await stableMember();
    await member.commit(1);
    await member.leave();
    const weekMs = 7 * 24 * 3_600_000;
    await broker.time.advance(weekMs - 1);
    expect(await member.committed()).toBe(1);
    broker.groups.start();
    await broker.time.advance(600_000);
    await settle(broker);
    expect(await member.committed()).toBe(-1);
    expect(await member.listed()).toEqual([]);
    await failOver(broker, home());
    expect(await member.listed()).toEqual([]);
  });

  test("that are old, of a group that was empty for a moment, do not expire while its members come back", async () => {
    await (await stableMember()).commit(1);
    await broker.time.advance(8 * 24 * 3_600_000);
    await (await stableMember()).leave();
    broker.groups.start();
    const member = client();
    await broker.time.advance(600_000 - 1_000);
    await member.join();
    const joining = member.join();
    await broker.time.advance(2_000);
    await settle(broker);
    expect(await member.describe()).toMatchObject({ groupState: "PreparingRebalance" });
    expect(await member.committed()).toBe(1);
    await broker.time.advance(1_000);
    await joining;
  });
});

describe("another coordinator", () => {
  test("knows members, generation, assignments and offsets: nobody has to join again", async () => {
    const member = await stableMember();
    await member.commit(42);
    const before = await member.describe();

    await failOver(broker, home());

    expect(await member.heartbeat()).toBe("NONE");
    expect(await member.describe()).toEqual(before);
    expect(await member.committed()).toBe(42);
    expect(await member.commit(43)).toBe("NONE");
    expect(await member.sync()).toMatchObject({ errorCode: 0, assignment: Buffer.from("all of it") });
  });

  test("knows of every deletion", async () => {
    const member = await stableMember();
    await member.commit(42);
    await member.leave();
    await member.remove();
    await failOver(broker, home());
    expect(await member.listed()).toEqual([]);
    expect(await member.committed()).toBe(-1);
  });

  test("answers that it loads until it may serve; heartbeats are fine meanwhile, a sync has to join again", async () => {
    const member = await stableMember();
    const partition = home();
    partition.readsFromFiles = true;
    await failOver(broker, partition);

    expect(await member.heartbeat()).toBe("NONE");
    expect((await member.sync()).errorCode).toBe(errorCode.REBALANCE_IN_PROGRESS);
    expect((await member.join()).errorCode).toBe(errorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(await member.committed()).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    partition.finishReads();
    await settle(broker);

    expect(await member.committed()).toBe(-1);
  });

  test("lists nothing rather than a part: not while it loads, has no quorum, or a coordinator is on no broker", async () => {
    const member = await stableMember();
    const partition = home();
    const offsets = partition.offsets.bind(partition);
    partition.offsets = () => ({ kind: "failed", error: "OFFSET_NOT_AVAILABLE" });
    expect(await member.listed()).toBe("COORDINATOR_NOT_AVAILABLE");
    partition.offsets = offsets;
    partition.loseLeadership();
    broker.groups.onLeadership(partition);
    expect(await member.listed()).toBe("COORDINATOR_LOAD_IN_PROGRESS");

    broker.moveLeader(partition.topicId, partition.partition, 2);

    // Broker 2 lists what is there; clients ask it too, unless they do not see it.
    expect(await member.listed()).toEqual([]);
    broker.dead.add(2);
    expect(await member.listed()).toBe("COORDINATOR_NOT_AVAILABLE");
  });

  test("who waits when the office is lost looks for it", async () => {
    const member = client();
    await member.join();
    const joining = member.join();
    home().loseLeadership();
    broker.groups.onLeadership(home());
    expect((await joining).errorCode).toBe(errorCode.NOT_COORDINATOR);
    expect(await member.committed()).toBe("NOT_COORDINATOR");
    expect(await member.commit(1)).toBe("NOT_COORDINATOR");
  });

  test("a deposed one that does not know yet answers nothing old", async () => {
    const member = await stableMember();
    await member.commit(1);
    home().offsets = () => ({ kind: "failed", error: "OFFSET_NOT_AVAILABLE" });
    expect(await member.committed()).toBe("COORDINATOR_NOT_AVAILABLE");
    expect(await member.heartbeat()).toBe("COORDINATOR_NOT_AVAILABLE");
    expect((await member.describe()).errorCode).toBe(errorCode.COORDINATOR_NOT_AVAILABLE);
  });

  test("an append that is refused is no commit", async () => {
    const simple = client();
    await simple.commit(1);
    home().refusal = { kind: "failed", error: "NOT_ENOUGH_REPLICAS" };
    expect(await simple.commit(2)).toBe("COORDINATOR_NOT_AVAILABLE");
    expect(await simple.committed()).toBe(1);
    expect(await simple.remove()).toBe("COORDINATOR_NOT_AVAILABLE");
    expect(await simple.committed()).toBe(1);
  });

  test("a group is there until a quorum knows that it is deleted; until then nobody comes or commits", async () => {
    const simple = client();
    await simple.commit(1);
    home().commitsAtOnce = false;
    const removing = simple.remove();
    await broker.time.settle();
    expect(await simple.committed()).toBe(1);
    expect(await simple.commit(2)).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    expect((await simple.join()).errorCode).toBe(errorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(await simple.remove()).toBe("COORDINATOR_LOAD_IN_PROGRESS");
    home().commit();
    expect(await removing).toBe("NONE");
    expect(await simple.committed()).toBe(-1);
    expect(await simple.remove()).toBe("GROUP_ID_NOT_FOUND");
  });

  test("one that cannot read a record does not guess", async () => {
    const simple = client();
    await simple.commit(1);
    home().add("no record of ours");
    await failOver(broker, home());
    expect(await simple.committed()).toBe("COORDINATOR_NOT_AVAILABLE");
  });
});

describe("FindCoordinator", () => {
  test("names the leader of the group's partition by the endpoint of the listener, the same on every broker", async () => {
    const asking = new InMemoryClient(broker, mine);
    const one = await asking.call(findCoordinatorHandler, 3, { key: "group", keyType: 0 });
    expect(one).toMatchObject({ errorCode: 0, nodeId: 1, host: "localhost", port: 9_001 });
    const many = await asking.call(findCoordinatorHandler, 4, { keyType: 0, coordinatorKeys: ["a", "b"] });
    expect(many.coordinators).toMatchObject([
      { key: "a", errorCode: 0, nodeId: 1 },
      { key: "b", errorCode: 0, nodeId: 1 },
    ]);
    expect(asking.listener).toBe(listenerName);
  });

  test("has the internal topic made by the first who asks; until then, and without a leader, there is none", async () => {
    const fresh = new InMemoryBroker(mine);
    const asking = new InMemoryClient(fresh, mine);
    fresh.submitFailure = "no-controller";
    const ask = async () => (await asking.call(findCoordinatorHandler, 3, { key: "group", keyType: 0 })).errorCode;
    expect(await ask()).toBe(errorCode.COORDINATOR_NOT_AVAILABLE);
    fresh.submitFailure = undefined;
    expect(await ask()).toBe(0);
    for (const id of [1, 2, 3]) fresh.dead.add(id);
    fresh.dead.delete(1);
    const codes = new Set<number>();
    for (const key of "abcdefghij") {
      codes.add((await asking.call(findCoordinatorHandler, 3, { key, keyType: 0 })).errorCode);
    }
    expect(codes).toEqual(new Set([0, errorCode.COORDINATOR_NOT_AVAILABLE]));
  });

  test("transactions and share groups have none yet", async () => {
    const asking = new InMemoryClient(broker, mine);
    const transaction = await asking.call(findCoordinatorHandler, 4, { keyType: 1, coordinatorKeys: ["a"] });
    expect(transaction.coordinators[0]?.errorCode).toBe(errorCode.COORDINATOR_NOT_AVAILABLE);
    const share = await asking.call(findCoordinatorHandler, 5, { keyType: 2, coordinatorKeys: ["a"] });
    expect(share.coordinators[0]?.errorCode).toBe(errorCode.INVALID_REQUEST);
  });
});
