import { describe, expect, test } from "vitest";
import type { PartitionLogContract } from "../../../../broker/log/log-contract.ts";
import type { HostedReplica } from "../../../../broker/partition/hosted-replica.ts";
import { diskStillMsMax, logReopenMs } from "../../../../broker/partition/limits.ts";
import type { PartitionSettings } from "../../../../broker/partition/partition-settings.ts";
import { ReplicaSlots } from "../../../../broker/partition/replica-slots.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import type { TopicImage } from "../../../../shared/metadata/image/metadata-image.ts";
import type { PartitionState } from "../../../../shared/metadata/records/record.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { recordOf, topicId } from "./replica-fixture.ts";

function topicOf(...partitions: PartitionState[]): TopicImage {
  return { topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs: {}, partitions };
}

function imageOf(topic: TopicImage | undefined): ImageState {
  const image = ImageState.empty("cell");
  if (topic !== undefined) image.setTopic(topic);
  return image;
}

/** Slots whose opening and removing of files the test ends one by one. */
function makeSlots() {
  const time = new ManualTime();
  const work: string[] = [];
  const pending: { readonly what: string; end(error?: Error): void }[] = [];
  let reports = 0;
  const begin = (what: string): Promise<void> => {
    work.push(`${what} begins`);
    return new Promise((resolve, reject) =>
      pending.push({
        what,
        end: (error) => {
          work.push(`${what} ${error === undefined ? "ends" : "fails"}`);
          if (error === undefined) resolve();
          else reject(error);
        },
      }),
    );
  };
  const slots = new ReplicaSlots({
    self: 1,
    clock: time,
    timers: time,
    logger: silentLogger,
    logs: {
      standsStillSinceMs: undefined,
      open: async (_topic, partition) => {
        await begin(`open ${partition}`);
        return { close: () => Promise.resolve() } as unknown as PartitionLogContract;
      },
      list: () => Promise.resolve([]),
      remove: () => Promise.resolve(),
    },
    isAlive: (broker) => broker !== 4,
    settingsOf: () => ({}) as PartitionSettings,
    make: (_topic, record) => {
      const replica = {
        record,
        log: { failure: record.partition === 8 ? new Error("ENOSPC") : undefined },
        onRecord: (newer: PartitionState) => {
          replica.record = newer;
        },
        close: () => (record.partition === 9 ? Promise.reject(new Error("EIO")) : Promise.resolve()),
      };
      return { replica, reconfigure: () => undefined } as unknown as HostedReplica;
    },
    onOpened: (replica) => work.push(`opened ${replica.record.partition} at ${replica.record.partitionEpoch}`),
    onOpenFailed: () => {
      reports += 1;
    },
    remove: (replica) => begin(`remove ${replica.record.partition}`),
  });
  const apply = (...partitions: PartitionState[]) => slots.applyImage(imageOf(topicOf(...partitions)));
  const end = async (what: string, error?: Error) => {
    await time.settle();
    const at = pending.findIndex((call) => call.what === what);
    if (at < 0) throw new Error(`${what} is not under way`);
    pending.splice(at, 1)[0]?.end(error);
    await time.settle();
  };
  return { slots, apply, end, time, work, reports: () => reports };
}

const away = recordOf({ voters: [2, 3, 4], leader: 2, partitionEpoch: 5 });

describe("ReplicaSlots", () => {
  test("a replica is found when its log is open, with the newest record", async () => {
    const { slots, apply, end, work } = makeSlots();
    apply(recordOf());
    apply(recordOf({ partitionEpoch: 7 }));
    expect(slots.find(topicId, 0)).toBeUndefined();
    await end("open 0");
    expect(work).toEqual(["open 0 begins", "open 0 ends", "opened 0 at 7"]);
    expect(slots.find(topicId, 0)).toBeDefined();
    await slots.allOpened;
  });

  test("an office is waited for until the log is open, and no longer than this broker is to lead", async () => {
    const { slots, apply, end, time } = makeSlots();
    const settled: string[] = [];
    const wait = (name: string) => slots.obstacle(topicId, 0)?.whenSettled(() => settled.push(name));
    apply(recordOf());
    expect(slots.obstacle(topicId, 0)?.sinceMs).toBe(time.monotonicMs());
    wait("opened");
    await end("open 0", new Error("EIO"));
    expect(settled).toEqual(["opened"]);
    expect(slots.obstacle(topicId, 0)).toBeUndefined();
    apply(away);
    await time.advance(logReopenMs);
    apply(recordOf());
    wait("given to another");
    apply(recordOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 6 }));
    expect(settled).toEqual(["opened", "given to another"]);
    expect(slots.obstacle(topicId, 0)).toBeUndefined();
    apply(recordOf({ leaderEpoch: 3, partitionEpoch: 7 }));
    wait("removed");
    slots.removeTopic(topicId);
    expect(settled).toEqual(["opened", "given to another", "removed"]);
  });

  test("nothing to open is all opened", async () => {
    const { slots, apply } = makeSlots();
    apply(away);
    await slots.allOpened;
    expect([...slots.replicas()]).toEqual([]);
  });

  test("one that is not wanted any more when its log is open is removed, and not shown", async () => {
    const { slots, apply, end, work, time } = makeSlots();
    apply(recordOf());
    await time.settle();
    apply(away);
    await end("open 0");
    expect(slots.find(topicId, 0)).toBeUndefined();
    await end("remove 0");
    expect(work.slice(1)).toEqual(["open 0 ends", "remove 0 begins", "remove 0 ends"]);
  });

  test("one that is made again is not opened before its removal has ended", async () => {
    const { slots, apply, end, work } = makeSlots();
    apply(recordOf());
    await end("open 0");
    apply(away);
    apply(recordOf({ partitionEpoch: 6 }));
    await end("remove 0");
    await end("open 0");
    expect(work.slice(3)).toEqual([
      "remove 0 begins",
      "remove 0 ends",
      "open 0 begins",
      "open 0 ends",
      "opened 0 at 6",
    ]);
    expect(slots.find(topicId, 0)).toBeDefined();
  });

  test("nor before an opening that nobody wants any more has ended and was undone", async () => {
    const { slots, apply, end, work, time } = makeSlots();
    apply(recordOf());
    await time.settle();
    slots.removeTopic(topicId);
    apply(recordOf({ partitionEpoch: 6 }));
    await end("open 0");
    await end("remove 0");
    await end("open 0");
    expect(work.filter((line) => line.endsWith("begins"))).toEqual([
      "open 0 begins",
      "remove 0 begins",
      "open 0 begins",
    ]);
    expect(slots.find(topicId, 0)?.replica.record.partitionEpoch).toBe(6);
  });

  test("a log that does not open is tried again, and the leadership of its replica is reported meanwhile", async () => {
    const { slots, apply, end, time, reports } = makeSlots();
    apply(recordOf(), recordOf({ partition: 1, leader: 2 }));
    await end("open 1", new Error("EMFILE"));
    await end("open 0", new Error("EMFILE"));
    expect(reports()).toBe(2);
    expect(slots.reports()).toEqual([{ topicId, partition: 0, partitionEpoch: 1, reason: "cannot-lead", brokers: [] }]);
    await time.advance(logReopenMs);
    await end("open 0");
    await end("open 1");
    expect(slots.reports()).toEqual([]);
    await slots.allOpened;
  });

  test("a leadership is reported that waits for logs of which none opens any more, if the others can elect", async () => {
    const { slots, apply, end, time } = makeSlots();
    apply(recordOf(), recordOf({ partition: 1 }), recordOf({ partition: 2, voters: [1, 2, 4] }));
    await time.advance(diskStillMsMax - 1);
    await end("open 0");
    await time.advance(diskStillMsMax - 1);
    expect(slots.reports()).toEqual([]);
    await time.advance(1);
    expect(slots.reports()).toEqual([{ topicId, partition: 1, partitionEpoch: 1, reason: "cannot-lead", brokers: [] }]);
    await end("open 2");
    expect(slots.reports()).toEqual([]);
  });

  test("close is whole only when everything was open, had not failed and closed without an error", async () => {
    const whole = makeSlots();
    whole.apply(recordOf());
    await whole.end("open 0");
    expect(await whole.slots.close(true)).toBe(true);

    const opening = makeSlots();
    opening.apply(recordOf());
    await opening.time.settle();
    const closing = opening.slots.close(true);
    await opening.end("open 0");
    expect(await closing).toBe(false);

    for (const failing of [8, 9]) {
      const { slots, apply, end } = makeSlots();
      apply(
        ...Array.from({ length: 10 }, (_, partition) =>
          recordOf(partition === failing ? { partition } : { partition, voters: [2] }),
        ),
      );
      await end(`open ${failing}`);
      expect(await slots.close(true)).toBe(false);
    }
  });
});
