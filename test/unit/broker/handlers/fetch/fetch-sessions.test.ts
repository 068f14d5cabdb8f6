import { beforeEach, describe, expect, test } from "vitest";
import { type FetchSession, nextEpoch } from "../../../../../broker/handlers/fetch/fetch-session.ts";
import { FetchSessions } from "../../../../../broker/handlers/fetch/fetch-sessions.ts";
import { ZERO_UUID } from "../../../../../shared/kafka/codec/uuid.ts";
import { SeededRandom } from "../../../../simulation/world/seeded-random.ts";

const limits = { sessionsMax: 3, sessionsPerTenantMax: 2, partitionsMax: 20, evictionMs: 100 };
let sessions: FetchSessions;

beforeEach(() => {
  sessions = new FetchSessions(new SeededRandom("sessions"), limits);
});

function topics(partitions: number) {
  return [
    {
      topic: "t",
      topicId: ZERO_UUID,
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        partition,
        fetchOffset: 0,
        partitionMaxBytes: 1,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: 0,
      })),
    },
  ];
}

function open(lkc: string, partitions: number, nowMs: number): FetchSession | undefined {
  const session = sessions.create({ lkc, byTopicId: false, partitions, nowMs });
  if (session !== undefined) sessions.use(session, nowMs, () => session.update(topics(partitions)));
  return session;
}

const use = (session: FetchSession, nowMs: number) => sessions.use(session, nowMs, () => undefined);

describe("room for sessions", () => {
  test("is made by ending one that was not used for long", () => {
    const [a, b, c] = [open("a", 1, 0), open("b", 1, 0), open("c", 1, 0)];
    use(a!, 90);
    use(c!, 90);
    expect(open("d", 1, 150)).toBeDefined();
    expect([sessions.find("a", a!.id), sessions.find("b", b!.id), sessions.find("c", c!.id)]).toEqual([
      a,
      undefined,
      c,
    ]);
  });

  test("one that was not used for long ends by itself, unless a request waits in it", () => {
    const [waiting, gone, used] = [open("a", 1, 0), open("a", 1, 0), open("b", 1, 0)];
    waiting!.round = {} as NonNullable<FetchSession["round"]>;
    use(used!, 101);
    expect([waiting, gone, used].map((session) => sessions.find(session!.lkc, session!.id))).toEqual([
      waiting,
      undefined,
      used,
    ]);
    waiting!.round = undefined;
  });

  test("or by ending an old one that gains less", () => {
    const [a, b, c] = [open("a", 4, 0), open("b", 2, 0), open("c", 5, 0)];
    for (const nowMs of [80, 150]) for (const session of [a, b, c]) use(session!, nowMs);
    expect(open("d", 2, 160)).toBeUndefined();
    expect(open("d", 3, 160)).toBeDefined();
    expect(sessions.find("b", b!.id)).toBeUndefined();
  });

  test("young sessions stay", () => {
    open("a", 1, 0);
    open("b", 1, 0);
    open("c", 1, 0);
    expect(open("d", 9, 50)).toBeUndefined();
    expect(sessions.size).toBe(3);
  });

  test("a tenant at its share ends only its own", () => {
    const [first, other] = [open("a", 1, 0), open("b", 1, 0)];
    open("a", 1, 10);
    use(other!, 50);
    expect(open("a", 1, 50)).toBeUndefined();
    expect(open("a", 1, 105)).toBeDefined();
    expect([sessions.find("a", first!.id), sessions.find("b", other!.id)]).toEqual([undefined, other]);
  });

  test("partitions are counted over all sessions", () => {
    const first = open("a", 12, 0);
    expect(open("b", 12, 10)).toBeUndefined();
    sessions.close(first!);
    const second = open("b", 12, 10);
    expect(second).toBeDefined();
    const kept = sessions.use(second!, 20, () => second!.update(topics(21)));
    expect([kept, sessions.size]).toEqual([false, 0]);
    expect(open("b", 20, 30)).toBeDefined();
  });

  test("closing twice counts once", () => {
    const session = open("a", 5, 0);
    sessions.close(session!);
    sessions.close(session!);
    expect(open("a", 20, 0)).toBeDefined();
  });
});

test("a session is its tenant's alone", () => {
  const session = open("a", 1, 0);
  expect(sessions.find("a", session!.id)).toBe(session);
  expect(sessions.find("b", session!.id)).toBeUndefined();
});

test("epochs go on after the largest with 1", () => {
  expect([nextEpoch(1), nextEpoch(0x7fff_fffe), nextEpoch(0x7fff_ffff)]).toEqual([2, 0x7fff_ffff, 1]);
});
