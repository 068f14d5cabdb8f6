import { describe, expect, test } from "vitest";
import {
  candidacyAloneMs,
  controllerFirstContactMs,
  controllerStoreLossMs,
  electionRetryMsMax,
  isolatedLeaderMs,
  preferredLeaderAfterMs,
  preferredLeaderIntervalMs,
  recoveryWaitMs,
} from "../../../../broker/controller/limits.ts";
import { ControllerCell, topicId, usualAnswer } from "./controller-fixture.ts";

describe("who is controller", () => {
  test("of brokers that start together the one with the lowest id stands, and nobody after it", async () => {
    const cell = await ControllerCell.start({ controllers: [2, 3] });
    cell.alive.delete(1);
    await cell.time.pass(5_000);
    expect(cell.inOffice()).toEqual([2]);
    expect(cell.one.metadata.image.controller).toEqual({ brokerId: 2, controllerEpoch: 1 });
  });

  test("when it is cut off another one stands; it learns of it in the log and stands down", async () => {
    const cell = await ControllerCell.start({ controllers: [1, 2] });
    await cell.time.pass(2_000);
    expect(cell.inOffice()).toEqual([1]);
    cell.broken.add("1-2").add("1-3");
    await cell.time.pass(2_000);
    expect(cell.inOffice()).toEqual([2]);
  });

  test("one that is cut off but reaches the store takes office from the others seldom, and never for long", async () => {
    const cell = await ControllerCell.start({ controllers: [1, 2] });
    await cell.time.pass(2_000);
    cell.broken.add("1-2").add("1-3");
    let withoutMs = 0;
    for (let passed = 0; passed < 60_000; passed += 100) {
      await cell.time.pass(100);
      if (!cell.member(2).controller.inOffice) withoutMs += 100;
    }
    expect(withoutMs).toBeLessThan(12_000);
    expect(cell.one.metadata.image.controller?.controllerEpoch).toBeLessThan(25);
  });

  test("the last one alive stands, after a while", async () => {
    const cell = await ControllerCell.start({ controllers: [3] });
    cell.alive.delete(1);
    cell.alive.delete(2);
    await cell.time.pass(candidacyAloneMs - 500);
    expect(cell.inOffice()).toEqual([]);
    await cell.time.pass(1_000);
    expect(cell.inOffice()).toEqual([3]);
  });

  test("nobody replaces a controller that others hear, or that it had no time to reach yet", async () => {
    const cell = await ControllerCell.start({ controllers: [1, 2] });
    await cell.time.pass(2_000);
    cell.broken.add("1-2");
    await cell.time.pass(5_000);
    expect(cell.inOffice()).toEqual([1]);

    const starting = await ControllerCell.start({ controllers: [2] });
    await starting.append(starting.one, [{ type: "controller-elected", brokerId: 1, controllerEpoch: 1 }]);
    starting.alive.delete(1);
    await starting.time.pass(controllerFirstContactMs - 200);
    expect(starting.inOffice()).toEqual([]);
    await starting.time.pass(1_000);
    expect(starting.inOffice()).toEqual([2]);
  });

  test("one that cannot reach the store for long is replaced by one that can", async () => {
    const cell = await ControllerCell.start({ controllers: [1, 2] });
    await cell.time.pass(2_000);
    cell.storeless.add(1);
    await cell.time.pass(controllerStoreLossMs - 500);
    expect(cell.inOffice()).toEqual([1]);
    await cell.time.pass(1_500);
    expect(cell.member(2).controller.inOffice).toBe(true);
  });

  test("two that do not hear each other depose one another ever less often", async () => {
    const cell = await ControllerCell.start({ brokers: [1, 2], controllers: [1, 2] });
    await cell.time.pass(2_000);
    cell.broken.add("1-2");
    await cell.time.pass(60_000);
    const elections = cell.one.metadata.image.controller?.controllerEpoch ?? 0;
    expect(elections).toBeGreaterThan(2);
    expect(elections).toBeLessThan(2 + (2 * 60_000) / candidacyAloneMs);
  });

  test("one that is about to stop does not stand", async () => {
    const cell = await ControllerCell.start({ controllers: [1], draining: [1] });
    await cell.time.pass(3_000);
    expect(cell.inOffice()).toEqual([]);
  });
});

describe("elections", () => {
  test("a dead leader is replaced: the intent is in the log before anybody is sealed for it", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    const seen: number[] = [];
    cell.onSeal = (_broker, { epoch }) => {
      seen.push(cell.record().intendedEpoch);
      return { acceptedEpoch: 1, endOffset: epoch, logStartOffset: 0, lost: false };
    };
    cell.die(1);
    await cell.time.pass(100);
    expect(cell.seals).toEqual(["2 asks 2 for 2", "2 asks 3 for 2"]);
    expect(seen).toEqual([2, 2]);
    expect(cell.record()).toMatchObject({ leader: 2, leaderEpoch: 2, intendedEpoch: 2, partitionEpoch: 3 });
  });

  test("nothing is intended without a majority of voters", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    cell.alive.delete(3);
    cell.die(1);
    await cell.time.pass(10_000);
    expect(cell.record().partitionEpoch).toBe(1);
    expect(cell.seals).toEqual([]);
  });

  test("an intent that another controller left is gone on with, for the same epoch (rule Q)", async () => {
    const cell = await ControllerCell.start({ controllers: [2], record: { intendedEpoch: 2 } });
    await cell.time.pass(500);
    expect(cell.record()).toMatchObject({ leaderEpoch: 2, partitionEpoch: 2 });
    expect(cell.seals).toEqual(["2 asks 1 for 2", "2 asks 2 for 2", "2 asks 3 for 2"]);
  });

  test("answers gathered under a record that was replaced meanwhile are void (rule I)", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    let rounds = 0;
    cell.onSeal = async (broker) => {
      // While broker 2 is sealed, broker 3 is found to have lost its data.
      if (broker === 2 && rounds++ === 0) {
        const record = cell.record();
        const state = { ...record, partitionEpoch: record.partitionEpoch + 1, lost: [3] };
        await cell.one.follower.propose(() => ({
          records: [{ type: "partitions-upserted", topicId, partitions: [state] }],
          reply: undefined,
        }));
      }
      return { acceptedEpoch: 1, endOffset: broker, logStartOffset: 0, lost: rounds > 1 && broker === 3 };
    };
    cell.die(1);
    await cell.time.pass(5_000);
    // By the first answers broker 3, with most, would lead. By the second ones there is no majority with its data.
    expect(cell.record()).toMatchObject({ leader: 1, leaderEpoch: 1, lost: [3] });
  });

  test("a seal that is not answered does not hold up an election that has its quorum", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    cell.onSeal = (broker) =>
      broker === 3 ? new Promise(() => undefined) : { acceptedEpoch: 1, endOffset: 5, logStartOffset: 0, lost: false };
    cell.report();
    await cell.time.pass(150);
    expect(cell.record()).toMatchObject({ leader: 1, leaderEpoch: 2 });
  });

  test("with the store away nobody is sealed", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    cell.one.store.faultRate = 1;
    cell.die(1);
    await cell.time.pass(20_000);
    expect(cell.seals).toEqual([]);
    cell.one.store.faultRate = 0;
    await cell.time.pass(20_000);
    expect(cell.record().leaderEpoch).toBe(2);
  });

  test("a leader that hears no majority is replaced after a while by one that does", async () => {
    const cell = await ControllerCell.start({ controllers: [4], brokers: [1, 2, 3, 4] });
    await cell.time.pass(500);
    cell.broken.add("1-2").add("1-3");
    await cell.time.pass(isolatedLeaderMs - 200);
    expect(cell.record().leaderEpoch).toBe(1);
    await cell.time.pass(700);
    expect(cell.record()).toMatchObject({ leader: 2, leaderEpoch: 2 });
  });

  test("when nobody would be better off there is no election, however long it lasts", async () => {
    const cell = await ControllerCell.start({ controllers: [4], brokers: [1, 2, 3, 4] });
    await cell.time.pass(500);
    cell.die(3);
    cell.broken.add("1-2");
    await cell.time.pass(60_000);
    expect(cell.record().partitionEpoch).toBe(1);
  });

  test("a leader that can never lead is elected again ever less often", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    for (let passed = 0; passed < 60_000; passed += 300) {
      cell.report();
      await cell.time.pass(300);
    }
    const elections = cell.record().leaderEpoch - 1;
    expect(elections).toBeGreaterThan(5);
    expect(elections).toBeLessThan(8 + 60_000 / electionRetryMsMax);
  });

  test("after a calm time the next election is held at once again", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    cell.report();
    await cell.time.pass(10_000);
    cell.report();
    await cell.time.pass(150);
    expect(cell.record().leaderEpoch).toBe(3);
  });
});

describe("reports", () => {
  test("count only under the record that they speak of", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    await cell.change({});
    cell.report({ partitionEpoch: 1 });
    await cell.time.pass(1_000);
    expect(cell.record().leaderEpoch).toBe(1);
    cell.report({ reason: "refused" });
    // A deposed leader's older report does not replace it.
    cell.report({ partitionEpoch: 1 });
    await cell.time.pass(200);
    expect(cell.record().leaderEpoch).toBe(2);
  });

  test("of voters that hold everything again give them their votes back (the model's Promote)", async () => {
    const cell = await ControllerCell.start({ controllers: [2], record: { lost: [2, 3] } });
    await cell.time.pass(500);
    cell.report({ reason: "recovered", brokers: [3] });
    await cell.time.pass(200);
    expect(cell.record()).toMatchObject({ lost: [2], partitionEpoch: 2, leaderEpoch: 1 });
  });

  test("that speak of an older record give no vote back (rules U, N)", async () => {
    const cell = await ControllerCell.start({ controllers: [2], record: { lost: [3] } });
    await cell.time.pass(500);
    const { partitionEpoch } = cell.record();
    await cell.change({});
    cell.report({ reason: "recovered", brokers: [3], partitionEpoch });
    await cell.time.pass(1_000);
    expect(cell.record().lost).toEqual([3]);
  });
});

describe("recovery without a majority", () => {
  const suspects = { record: { lost: [1, 2, 3], leader: 1 }, controllers: [2] };
  const lostAnswer = (broker: number) => ({ acceptedEpoch: 1, endOffset: broker, logStartOffset: 0, lost: true });

  test("is not begun where an operator decides", async () => {
    const cell = await ControllerCell.start(suspects);
    cell.report();
    await cell.time.pass(3 * recoveryWaitMs);
    expect(cell.record().leaderEpoch).toBe(1);
  });

  test("goes on from the highest rank as soon as all are there; they vote again", async () => {
    const cell = await ControllerCell.start({ ...suspects, recoverWithoutMajority: true });
    cell.onSeal = lostAnswer;
    await cell.time.pass(500);
    cell.report();
    await cell.time.pass(200);
    expect(cell.record()).toMatchObject({ leader: 3, leaderEpoch: 2, lost: [] });
  });

  test("waits for those who are away, then goes on with a majority", async () => {
    const cell = await ControllerCell.start({ ...suspects, recoverWithoutMajority: true });
    cell.onSeal = lostAnswer;
    await cell.time.pass(500);
    cell.alive.delete(3);
    cell.report();
    await cell.time.pass(recoveryWaitMs - 1_000);
    expect(cell.record().leaderEpoch).toBe(1);
    await cell.time.pass(8_000);
    expect(cell.record()).toMatchObject({ leader: 2, lost: [3] });
  });

  test("does not go on from too few answers, though all are alive", async () => {
    const cell = await ControllerCell.start({ ...suspects, recoverWithoutMajority: true });
    cell.onSeal = (broker) => (broker === 1 ? lostAnswer(1) : undefined);
    await cell.time.pass(500);
    cell.report();
    await cell.time.pass(3 * recoveryWaitMs);
    expect(cell.record().leaderEpoch).toBe(1);
  });
});

describe("leaderships", () => {
  test("go back to the first voter when it has been alive for a while", async () => {
    const cell = await ControllerCell.start({ controllers: [2], record: { leader: 2 } });
    await cell.time.pass(preferredLeaderAfterMs - 5_000);
    expect(cell.handOvers).toEqual([]);
    await cell.time.pass(preferredLeaderIntervalMs + 6_000);
    expect(cell.handOvers).toEqual(["2 to 1"]);
    expect(cell.record()).toMatchObject({ leader: 1, leaderEpoch: 2 });
  });

  test("are not offered again and again to a broker that does not take them", async () => {
    const cell = await ControllerCell.start({ controllers: [2], record: { leader: 2 } });
    // Its disk stands still: it cannot promise.
    cell.onSeal = (broker) => (broker === 1 ? new Promise(() => undefined) : usualAnswer);
    await cell.time.pass(preferredLeaderAfterMs + preferredLeaderIntervalMs);
    expect(cell.handOvers).toEqual(["2 to 1"]);
    expect(cell.record().leader).not.toBe(1);
    await cell.time.pass(preferredLeaderAfterMs - preferredLeaderIntervalMs);
    expect(cell.handOvers.length).toBe(1);
    cell.onSeal = () => usualAnswer;
    await cell.time.pass(2 * preferredLeaderIntervalMs);
    expect(cell.record().leader).toBe(1);
  });

  test("of a broker that is about to stop go to others", async () => {
    const cell = await ControllerCell.start({ controllers: [2] });
    await cell.time.pass(500);
    cell.draining.add(1);
    await cell.time.until(cell.one.controller.release(1));
    expect(cell.record()).toMatchObject({ leader: 2, leaderEpoch: 2 });
  });
});
