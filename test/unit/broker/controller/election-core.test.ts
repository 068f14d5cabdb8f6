import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ChoiceOptions,
  type ClusterView,
  chooseLeader,
  electedState,
  electionEpoch,
  electionsIntended,
  isElectable,
  isRecoverable,
  needsElection,
  partitionsUpserted,
  type SealedAnswer,
  sealTargets,
} from "../../../../broker/controller/election-core.ts";
import { isQuorum } from "../../../../broker/replication/quorum.ts";
import { soundRules } from "../../../../broker/replication/replication-rules.ts";
import { noLeader, type PartitionState } from "../../../../shared/metadata/records/record.ts";
import { partitionState } from "../../shared/metadata/records/partition-state.ts";

function state(change: Partial<PartitionState> = {}): PartitionState {
  return partitionState({ partitionEpoch: 4, leaderEpoch: 2, intendedEpoch: 2, ...change });
}

interface Cell {
  readonly alive?: readonly number[];
  /** Brokers that hear no majority of their voters. */
  readonly cutOff?: readonly number[];
  readonly draining?: readonly number[];
}

function cell({ alive = [1, 2, 3, 4], cutOff = [], draining = [] }: Cell = {}): ClusterView {
  return {
    isAlive: (broker) => alive.includes(broker),
    isConnected: (broker, record) =>
      !cutOff.includes(broker) && isQuorum(record, (voter) => voter === broker || alive.includes(voter)),
    isDraining: (broker) => draining.includes(broker),
  };
}

function answer(broker: number, acceptedEpoch: number, endOffset: number, more: Partial<SealedAnswer> = {}) {
  return { broker, acceptedEpoch, endOffset, logStartOffset: 0, lost: false, ...more };
}

function options(change: Partial<ChoiceOptions> = {}): ChoiceOptions {
  return { rules: soundRules, view: cell(), preferred: undefined, recover: undefined, ...change };
}

describe("needsElection", () => {
  const needs = (record: PartitionState, view = cell(), reported = false) =>
    needsElection(record, view, reported, soundRules);

  test("not while the leader is alive, hears a majority and nobody complains", () => {
    expect(needs(state())).toBe(false);
  });

  test.each([
    ["no leader", state({ leader: noLeader }), cell(), false],
    ["an election was begun and not ended", state({ intendedEpoch: 3 }), cell(), false],
    ["it was reported that the leader cannot lead", state(), cell(), true],
    ["the leader is gone", state(), cell({ alive: [2, 3] }), false],
    ["the leader hears no majority, others do", state(), cell({ cutOff: [1] }), false],
  ])("%s", (_why, record, view, reported) => {
    expect(needs(record, view, reported)).toBe(true);
  });

  test("not for an isolated leader when nobody would be better off: elections would follow one another for ever", () => {
    expect(needs(state(), cell({ cutOff: [1, 2, 3] }))).toBe(false);
    expect(needs(state({ lost: [2] }), cell({ cutOff: [1, 3] }))).toBe(false);
    expect(needs(state(), cell({ alive: [1] }))).toBe(false);
  });
});

describe("who is asked and whether it is worth it", () => {
  test("voters and outgoing replicas are sealed, each once; learners are not", () => {
    expect(sealTargets(state({ voters: [1, 2, 4], outgoing: [1, 2, 3], learners: [5] }))).toEqual([1, 2, 4, 3]);
  });

  test("nothing is intended when no quorum of voters with their data is alive", () => {
    expect(isElectable(state(), cell({ alive: [1, 2] }))).toBe(true);
    expect(isElectable(state(), cell({ alive: [1] }))).toBe(false);
    expect(isElectable(state({ lost: [2] }), cell({ alive: [1, 2] }))).toBe(false);
    const joint = state({ voters: [1, 2, 4], outgoing: [1, 2, 3] });
    expect(isElectable(joint, cell({ alive: [1, 4] }))).toBe(false);
    expect(isElectable(joint, cell({ alive: [1, 3, 4] }))).toBe(true);
  });

  test("an election goes on for the epoch that was intended", () => {
    expect(electionEpoch(state())).toBe(3);
    expect(electionEpoch(state({ intendedEpoch: 3 }))).toBe(3);
  });

  test("only intents that are not in the log are appended, one record a topic, raising the partition epoch", () => {
    const keys = [
      { topicId: "a", partition: 0, record: state() },
      { topicId: "a", partition: 1, record: state({ partition: 1, intendedEpoch: 3 }) },
      { topicId: "b", partition: 2, record: state({ partition: 2, leaderEpoch: 8, intendedEpoch: 8 }) },
    ];
    expect(electionsIntended(keys)).toEqual([
      { type: "election-intended", topicId: "a", partitions: [{ partition: 0, partitionEpoch: 5, intendedEpoch: 3 }] },
      { type: "election-intended", topicId: "b", partitions: [{ partition: 2, partitionEpoch: 5, intendedEpoch: 9 }] },
    ]);
  });
});

describe("chooseLeader", () => {
  test("nobody without a quorum of answers", () => {
    expect(chooseLeader(state(), [answer(1, 2, 9)], options())).toBeUndefined();
  });

  test("the accepted epoch ranks before the log end (mutation B)", () => {
    const answers = [answer(2, 1, 20), answer(3, 2, 5)];
    expect(chooseLeader(state(), answers, options())?.leader).toBe(3);
  });

  test("the longer log ranks among equals, then the order of voters, or the preferred one", () => {
    expect(chooseLeader(state(), [answer(2, 2, 5), answer(3, 2, 6)], options())?.leader).toBe(3);
    const equals = [answer(3, 2, 5), answer(2, 2, 5)];
    expect(chooseLeader(state(), equals, options())?.leader).toBe(2);
    expect(chooseLeader(state(), equals, options({ preferred: 3 }))?.leader).toBe(3);
    expect(chooseLeader(state(), [...equals, answer(1, 2, 6)], options({ preferred: 3 }))?.leader).toBe(1);
  });

  test("answers of replicas that lost their data count in no quorum and never lead (mutation D)", () => {
    const record = state({ lost: [3] });
    expect(chooseLeader(record, [answer(2, 2, 5), answer(3, 2, 9, { lost: true })], options())).toBeUndefined();
    const enough = [answer(1, 2, 4), answer(2, 2, 5), answer(3, 2, 9, { lost: true })];
    expect(chooseLeader(record, enough, options())).toMatchObject({ leader: 2, lost: [3], recovered: false });
  });

  test("a joint change needs answers of both sets (mutation E)", () => {
    const joint = state({ voters: [1, 2, 4], outgoing: [1, 2, 3] });
    expect(chooseLeader(joint, [answer(1, 2, 5), answer(4, 2, 5)], options())).toBeUndefined();
    expect(chooseLeader(joint, [answer(3, 2, 6), answer(4, 2, 5), answer(1, 2, 5)], options())?.leader).toBe(3);
  });

  test("a draining or isolated broker is left out when the others are a quorum, though it has more", () => {
    const answers = [answer(1, 2, 9), answer(2, 2, 5), answer(3, 2, 6)];
    expect(chooseLeader(state(), answers, options({ view: cell({ draining: [1] }) }))?.leader).toBe(3);
    expect(chooseLeader(state(), answers, options({ view: cell({ cutOff: [1] }) }))?.leader).toBe(3);
    const view = cell({ draining: [1] });
    expect(chooseLeader(state(), answers.slice(0, 2), options({ view }))?.leader).toBe(1);
  });

  test("the record keeps the highest log start that any answer told", () => {
    const answers = [answer(1, 2, 9, { logStartOffset: 3 }), answer(2, 2, 9, { logStartOffset: 4 })];
    const choice = chooseLeader(state({ logStartOffset: 2 }), answers, options());
    expect(choice?.logStartOffset).toBe(4);
  });

  test("the elected state names the epoch that was sealed, and raises the partition epoch", () => {
    const record = state({ intendedEpoch: 3 });
    const choice = chooseLeader(record, [answer(2, 2, 5), answer(3, 2, 6)], options());
    if (choice === undefined) throw new Error("a quorum answered");
    const elected = electedState(record, choice);
    expect(elected).toMatchObject({ leader: 3, leaderEpoch: 3, intendedEpoch: 3, partitionEpoch: 5 });
    expect(partitionsUpserted([{ topicId: "a", partition: 0, state: elected }])).toEqual([
      { type: "partitions-upserted", topicId: "a", partitions: [elected] },
    ]);
  });

  test("over all answers, the leader outranks a quorum of replicas that kept their data", () => {
    const answers = fc.uniqueArray(
      fc.record({
        broker: fc.integer({ min: 1, max: 5 }),
        acceptedEpoch: fc.integer({ min: 0, max: 3 }),
        endOffset: fc.integer({ min: 0, max: 5 }),
        logStartOffset: fc.constant(0),
        lost: fc.boolean(),
      }),
      { selector: ({ broker }) => broker, maxLength: 5 },
    );
    const outgoing = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 });
    fc.assert(
      fc.property(answers, outgoing, fc.array(fc.integer({ min: 1, max: 5 })), (given, leaving, draining) => {
        const record = state({ outgoing: leaving });
        const asked = given.filter(({ broker }) => sealTargets(record).includes(broker));
        const choice = chooseLeader(record, asked, options({ view: cell({ alive: [1, 2, 3, 4, 5], draining }) }));
        const leader = asked.find(({ broker }) => broker === choice?.leader);
        const outranked = (broker: number) =>
          asked.some(
            (other) => other.broker === broker && !other.lost && soundRules.compareRank(leader as never, other) >= 0,
          );
        if (leader === undefined) {
          expect(isQuorum(record, (broker) => asked.some((a) => a.broker === broker && !a.lost))).toBe(false);
          return;
        }
        expect(leader.lost).toBe(false);
        expect(isQuorum(record, outranked)).toBe(true);
      }),
    );
  });
});

describe("recovery without a majority", () => {
  const there =
    (...brokers: number[]) =>
    (broker: number) =>
      brokers.includes(broker);
  const now = { waited: false };
  const later = { waited: true };

  test("never while a majority kept its data, whoever is away", () => {
    expect(isRecoverable(state({ lost: [3] }), there(1, 2, 3), later)).toBe(false);
    expect(isRecoverable(state(), there(), later)).toBe(false);
  });

  test("at once when all are there, after the wait with a majority that has all survivors in it", () => {
    const record = state({ lost: [1, 2] });
    expect(isRecoverable(record, there(1, 2, 3), now)).toBe(true);
    expect(isRecoverable(record, there(1, 3), now)).toBe(false);
    expect(isRecoverable(record, there(1, 3), later)).toBe(true);
    expect(isRecoverable(record, there(1, 2), later)).toBe(false);
    expect(isRecoverable(state({ lost: [1, 2, 3] }), there(2), later)).toBe(false);
    expect(isRecoverable(state({ lost: [1, 2, 3] }), there(1, 2), later)).toBe(true);
  });

  test("in a joint change the outgoing majority may be the one that is lost", () => {
    const record = state({ voters: [1, 2, 4], outgoing: [1, 3, 5], lost: [3, 5] });
    expect(isRecoverable(record, there(1, 2, 3, 4, 5), now)).toBe(true);
    expect(isRecoverable(record, there(1, 2, 4), later)).toBe(false);
  });

  test("the answers are asked as well: who was alive and did not answer may hold what was acknowledged", () => {
    const record = state({ lost: [1, 2, 3] });
    const one = [answer(1, 1, 2, { lost: true })];
    expect(chooseLeader(record, one, options({ recover: now }))).toBeUndefined();
    expect(chooseLeader(record, one, options({ recover: later }))).toBeUndefined();
    const two = [...one, answer(2, 2, 1, { lost: true })];
    expect(chooseLeader(record, two, options({ recover: now }))).toBeUndefined();
    expect(chooseLeader(record, two, options({ recover: later }))).toEqual({
      leader: 2,
      logStartOffset: 0,
      lost: [3],
      recovered: true,
    });
    expect(chooseLeader(record, two, options())).toBeUndefined();
  });
});
