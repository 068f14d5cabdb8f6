/** What the scripts in `test/scenarios/group` do not show: limits, deadlines, ownership of bytes, what is asked of a group. */
import { describe, expect, test } from "vitest";
import { ClassicGroup } from "../../../../../broker/coordinator/group/classic-group.ts";
import type {
  Answer,
  Effects,
  JoinAnswer,
  JoinInput,
  UnstampedGroupValue,
} from "../../../../../broker/coordinator/group/group-contract.ts";
import {
  memberMetadataBytesMax,
  memberProtocolsMax,
  newMemberJoinTimeoutMs,
  pendingMembersMax,
} from "../../../../../broker/coordinator/group/limits.ts";
import { answerToFailedWrite } from "../../../../../broker/coordinator/group/write-errors.ts";
import { defaultConfig, joinInput, subscription, syncInput } from "./group-requests.ts";

const config = { ...defaultConfig, initialRebalanceDelayMs: 0 };
const text = (bytes: Buffer) => bytes.toString();

function answerTo(effects: Effects): Answer {
  expect(effects.answers).toHaveLength(1);
  return effects.answers[0] as Answer;
}

function member(memberId: string, change: Partial<JoinInput> = {}): JoinInput {
  return joinInput({ newMemberId: memberId, requireKnownMemberId: false, ...change });
}

/** A stable group of these members, the first of which leads; each is assigned its own id. */
function stableGroup(members: readonly JoinInput[], nowMs = 0): ClassicGroup {
  const group = new ClassicGroup("g", config, nowMs);
  for (const each of members) group.join(each, {}, nowMs);
  group.tick(nowMs);
  const ids = members.map(({ newMemberId }) => newMemberId);
  const assignments = ids.map((memberId) => ({ memberId, assignment: Buffer.from(memberId) }));
  for (const memberId of ids.toReversed()) {
    const { write } = group.sync(syncInput({ memberId, generationId: 1, protocolType: null, assignments }), {}, nowMs);
    if (write !== undefined) group.written(write.token, nowMs);
  }
  expect(group.state).toBe("Stable");
  return group;
}

function beat(group: ClassicGroup, memberId: string, nowMs: number) {
  return group.heartbeat({ memberId, groupInstanceId: null, generationId: group.generationId }, nowMs);
}

describe("deadlines", () => {
  test("a group that waits for nothing has none; one with members has their sessions", () => {
    expect(new ClassicGroup("g", config, 5).nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    const group = stableGroup([member("a")], 1_000);
    expect(group.nextDeadlineMs()).toBe(1_000 + 45_000);
  });

  test("a heartbeat moves the end of a session without waking anybody earlier", () => {
    const group = stableGroup([member("a")]);
    for (let nowMs = 3_000; nowMs <= 300_000; nowMs += 3_000) {
      if (nowMs >= group.nextDeadlineMs()) expect(group.tick(nowMs).answers).toEqual([]);
      expect(beat(group, "a", nowMs)).toBe("NONE");
      expect(group.nextDeadlineMs()).toBeGreaterThan(nowMs);
    }
    expect(group.tick(344_999)).toEqual({ answers: [] });
    expect(group.tick(345_000).write?.value.members).toEqual([]);
    expect(group.state).toBe("Empty");
  });

  test("a session that became shorter ends earlier", () => {
    const group = stableGroup([member("a"), member("b")]);
    group.join(member("b", { memberId: "b", sessionTimeoutMs: 6_000, protocols: [] }), {}, 0);
    group.join(member("a", { memberId: "a", sessionTimeoutMs: 6_000 }), {}, 0);
    group.join(member("b", { memberId: "b" }), {}, 0);
    beat(group, "a", 1_000);
    expect(group.generationId).toBe(2);
    expect(group.nextDeadlineMs()).toBeLessThanOrEqual(7_000);
    group.tick(7_000);
    expect(beat(group, "a", 7_000)).toBe("UNKNOWN_MEMBER_ID");
  });

  test("a new member whose rebalance takes too long is asked to join again", () => {
    const group = stableGroup([member("a", { rebalanceTimeoutMs: 900_000 })]);
    const ticket = {};
    group.join(member("b"), ticket, 0);
    for (let nowMs = 0; nowMs < newMemberJoinTimeoutMs; nowMs += 10_000) {
      expect(group.tick(nowMs).answers).toEqual([]);
      beat(group, "a", nowMs);
    }
    const answer = answerTo(group.tick(newMemberJoinTimeoutMs));
    expect(answer).toMatchObject({ ticket, kind: "join", error: "UNKNOWN_MEMBER_ID", memberId: "" });
    expect(group.memberCount).toBe(1);
  });

  test("a rebalance timeout of nothing does not make the group spin while it waits for static members", () => {
    const group = stableGroup([
      member("a-1", { groupInstanceId: "a", rebalanceTimeoutMs: 0 }),
      member("b", { rebalanceTimeoutMs: 0 }),
    ]);
    group.tick(0);
    group.leave({ members: [{ memberId: "b", groupInstanceId: null }] }, 10);
    group.tick(10);
    expect(group.state).toBe("PreparingRebalance");
    expect(group.nextDeadlineMs()).toBeGreaterThanOrEqual(1_000);
  });
});

describe("limits", () => {
  test("of ids that nobody came back with, the oldest is forgotten", () => {
    const group = new ClassicGroup("g", config, 0);
    for (let n = 0; n <= pendingMembersMax; n += 1) {
      expect(answerTo(group.join(joinInput({ newMemberId: `m${n}` }), {}, n)).error).toBe("MEMBER_ID_REQUIRED");
    }
    expect(answerTo(group.join(member("x", { memberId: "m0" }), {}, 0)).error).toBe("UNKNOWN_MEMBER_ID");
    expect(group.join(member("x", { memberId: "m1" }), {}, 0).answers).toEqual([]);
    expect(group.memberCount).toBe(1);
  });

  test("metadata that no record could hold is refused", () => {
    const group = new ClassicGroup("g", config, 0);
    const half = Buffer.alloc(memberMetadataBytesMax / 2 + 1);
    const protocols = [
      { name: "x", metadata: half },
      { name: "y", metadata: half },
    ];
    expect(answerTo(group.join(member("a", { protocols }), {}, 0)).error).toBe("INVALID_REQUEST");
    const long = "n".repeat(memberMetadataBytesMax / 32);
    const names = Array.from({ length: 33 }, (_, index) => ({ name: `${index}${long}`, metadata: Buffer.alloc(0) }));
    expect(answerTo(group.join(member("a", { protocols: names }), {}, 0)).error).toBe("INVALID_REQUEST");
    expect(group.memberCount).toBe(0);
  });

  test("more protocols than any client has are refused: comparing them would hold up the whole broker", () => {
    const named = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `p${index}`, metadata: Buffer.alloc(0) }));
    const group = new ClassicGroup("g", config, 0);
    const tooMany = member("a", { protocols: named(memberProtocolsMax + 1) });
    expect(answerTo(group.join(tooMany, {}, 0)).error).toBe("INVALID_REQUEST");
    expect(group.join(member("a", { protocols: named(memberProtocolsMax) }), {}, 0).answers).toEqual([]);
    expect(answerTo(group.join({ ...tooMany, memberId: "a" }, {}, 0)).error).toBe("INVALID_REQUEST");
    expect(group.memberCount).toBe(1);
  });
});

describe("bytes", () => {
  test("those of requests are copied: a frame may be reused", () => {
    const group = new ClassicGroup("g", config, 0);
    const metadata = Buffer.from(subscription(["t"]));
    group.join(member("a", { protocols: [{ name: "range", metadata }] }), {}, 0);
    metadata.fill(0);
    const joined = answerTo(group.tick(0)) as JoinAnswer;
    expect(joined.members.map((each) => each.metadata)).toEqual([subscription(["t"])]);
    const assignment = Buffer.from("part");
    const request = syncInput({ memberId: "a", generationId: 1, assignments: [{ memberId: "a", assignment }] });
    const { write } = group.sync(request, {}, 0);
    assignment.fill(0);
    expect(write?.value.members.map((each) => text(each.assignment))).toEqual(["part"]);
    expect(answerTo(group.written(write?.token ?? {}, 0))).toMatchObject({ assignment: Buffer.from("part") });
  });

  test("a protocol that is listed twice counts once, the first", () => {
    const group = new ClassicGroup("g", config, 0);
    const range = (topic: string) => ({ name: "range", metadata: subscription([topic]) });
    group.join(member("a", { protocols: [range("t"), range("u")] }), {}, 0);
    group.join(member("b"), {}, 0);
    group.tick(0);
    expect(group.generationId).toBe(1);
    expect([...(group.subscribedTopics() ?? [])]).toEqual(["t"]);
  });
});

describe("tokens", () => {
  test("those of another group, or of the group before a failover, do nothing", () => {
    const group = stableGroup([member("a-1", { groupInstanceId: "a" })]);
    const returned = group.join(member("a-2", { groupInstanceId: "a" }), {}, 0);
    const again = ClassicGroup.restore("g", returned.write?.value as UnstampedGroupValue, config, 0);
    const ticket = {};
    again.join(member("a-3", { groupInstanceId: "a" }), ticket, 0);
    expect(again.written(returned.write?.token ?? {}, 0).answers).toEqual([]);
    expect(again.writeFailed(returned.write?.token ?? {}, "NOT_ENOUGH_REPLICAS", 0).answers).toEqual([]);
    expect(again.written({}, 0).answers).toEqual([]);
    expect(answerTo(group.written(returned.write?.token ?? {}, 0)).error).toBe("NONE");
  });

  test("what is told twice is heard once", () => {
    const group = stableGroup([member("a-1", { groupInstanceId: "a" })]);
    const { write } = group.join(member("a-2", { groupInstanceId: "a" }), {}, 0);
    expect(group.written(write?.token ?? {}, 0).answers).toHaveLength(1);
    expect(group.written(write?.token ?? {}, 0).answers).toEqual([]);
    expect(group.writeFailed(write?.token ?? {}, "REQUEST_TIMED_OUT", 0).answers).toEqual([]);
    expect(group.state).toBe("Stable");
  });

  test("the failure to write that a group is empty changes nothing", () => {
    const group = stableGroup([member("a")]);
    const { effects } = group.leave({ members: [{ memberId: "a", groupInstanceId: null }] }, 0);
    expect(group.writeFailed(effects.write?.token ?? {}, "NOT_ENOUGH_REPLICAS", 0)).toEqual({ answers: [] });
    expect(group.state).toBe("Empty");
  });

  test.each([
    ["REQUEST_TIMED_OUT", "COORDINATOR_NOT_AVAILABLE"],
    ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "COORDINATOR_NOT_AVAILABLE"],
    ["NOT_LEADER_OR_FOLLOWER", "NOT_COORDINATOR"],
    ["MESSAGE_TOO_LARGE", "UNKNOWN_SERVER_ERROR"],
    ["INVALID_COMMIT_OFFSET_SIZE", "UNKNOWN_SERVER_ERROR"],
    ["NOT_COORDINATOR", "NOT_COORDINATOR"],
  ] as const)("the log's %s is told as %s", (error, answer) => {
    expect(answerToFailedWrite(error)).toBe(answer);
  });
});

describe("what is asked of a group", () => {
  test("since when it is empty, also when that was before a failover", () => {
    const group = stableGroup([member("a")], 50);
    expect(group.emptySinceMs).toBeUndefined();
    const { effects } = group.leave({ members: [{ memberId: "a", groupInstanceId: null }] }, 700);
    expect(group.emptySinceMs).toBe(700);
    const value = effects.write?.value as UnstampedGroupValue;
    expect(ClassicGroup.restore("g", value, config, 10_000, 9_000).emptySinceMs).toBe(1_000);
    // A wall clock that was set back makes nothing younger than new.
    expect(ClassicGroup.restore("g", value, config, 10_000, -9_000).emptySinceMs).toBe(10_000);
  });

  test("whether it can be deleted, or forgotten", () => {
    const group = new ClassicGroup("g", config, 0);
    expect([group.validateDelete(), group.isIdle]).toEqual(["NONE", true]);
    group.join(joinInput({ newMemberId: "a" }), {}, 0);
    expect([group.validateDelete(), group.isIdle]).toEqual(["NONE", false]);
    group.join(joinInput({ newMemberId: "", memberId: "a" }), {}, 0);
    expect([group.validateDelete(), group.isIdle]).toEqual(["NON_EMPTY_GROUP", false]);
    expect(group.die("GROUP_ID_NOT_FOUND").answers).toHaveLength(1);
    expect([group.validateDelete(), group.isIdle]).toEqual(["GROUP_ID_NOT_FOUND", false]);
    expect(group.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("which topics it subscribes to, if it can tell", () => {
    expect(new ClassicGroup("g", config, 0).subscribedTopics()).toBeUndefined();
    const of = (topics: readonly string[]) => ({ protocols: [{ name: "range", metadata: subscription(topics) }] });
    const group = stableGroup([member("a", of(["t", "u"])), member("b", of(["u", "v"]))]);
    expect(group.subscribedTopics()).toEqual(new Set(["t", "u", "v"]));
    const garbage = { protocols: [{ name: "range", metadata: Buffer.from("xx") }] };
    expect(stableGroup([member("a", garbage)]).subscribedTopics()).toBeUndefined();
    const connect = { protocolType: "connect" };
    expect(stableGroup([member("a", connect)]).subscribedTopics()).toBeUndefined();
  });

  test("how it is described", () => {
    const group = stableGroup([member("a-1", { groupInstanceId: "a", clientId: "app", clientHost: "/10.1.1.1" })]);
    expect(group.describe()).toEqual({
      state: "Stable",
      protocolType: "consumer",
      protocol: "range",
      members: [
        {
          memberId: "a-1",
          groupInstanceId: "a",
          clientId: "app",
          clientHost: "/10.1.1.1",
          metadata: subscription(["t"]),
          assignment: Buffer.from("a-1"),
        },
      ],
    });
  });

  test("a session is not restored longer than a member asked for, and all get a fresh one", () => {
    const { write } = stableGroup([member("a-1", { groupInstanceId: "a", sessionTimeoutMs: 6_000 })]).join(
      member("a-2", { groupInstanceId: "a", sessionTimeoutMs: 6_000 }),
      {},
      0,
    );
    const group = ClassicGroup.restore("g", write?.value as UnstampedGroupValue, config, 50_000);
    group.tick(55_999);
    expect(group.state).toBe("Stable");
    group.tick(56_000);
    expect(group.state).toBe("Empty");
  });
});
