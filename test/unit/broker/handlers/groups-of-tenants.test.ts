/** Groups of two tenants under the same names, on one coordinator. */
import { beforeEach, describe, expect, test } from "vitest";
import { groupPartition } from "../../../../broker/coordinator/internal-partition.ts";
import { decodeRecords } from "../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../shared/kafka/records/record-batch.ts";
import { failOver, GroupClient, settle, stableMember } from "./group-client.ts";
import { InMemoryBroker } from "./in-memory-broker.ts";
import type { InMemoryPartition } from "./in-memory-partitions.ts";

const mine = "lkc-aaaaa";
const others = "lkc-bbbbb";

let broker: InMemoryBroker;
let internal: readonly InMemoryPartition[];

beforeEach(async () => {
  broker = new InMemoryBroker(mine, others);
  broker.topic(mine, "orders", 4);
  internal = await broker.hostGroups();
});

/** The internal partition of the other tenant's group. */
function theirHome(): InMemoryPartition {
  return internal[groupPartition({ lkc: others, groupId: "group" }, internal.length)]!;
}

/** Keys whose newest record is no tombstone: what a successor would find. */
function keysLeft(partition: InMemoryPartition): string[] {
  const left = new Set<string>();
  for (const { records } of partition.appended) {
    for (const { key, value } of decodeRecords(new RecordBatchView(records))) {
      const name = key?.toString("hex") ?? "";
      if (value === null) left.delete(name);
      else left.add(name);
    }
  }
  return [...left];
}

describe("two tenants with the same names", () => {
  test("never meet", async () => {
    broker.topic(others, "orders", 4);
    const member = await stableMember(broker, mine, "group");
    const theirs = await stableMember(broker, others, "group");
    await member.commit(1);
    await theirs.commit(2);

    expect([await member.committed(), await theirs.committed()]).toEqual([1, 2]);
    theirs.memberId = member.memberId;
    expect(await theirs.heartbeat()).toBe("UNKNOWN_MEMBER_ID");
    await member.leave();
    expect(await member.remove()).toBe("NONE");
    expect(await theirs.committed()).toBe(2);
    expect((await theirs.describe()).groupState).toBe("Stable");
  });

  test("a tenant's groups go with it", async () => {
    broker.topic(others, "orders", 4);
    const member = await stableMember(broker, mine, "group");
    await stableMember(broker, others, "group");
    broker.apply({ type: "logical-cluster-deleted", lkc: others });
    await settle(broker);
    expect(broker.groups.groupCount).toBe(1);
    await failOver(broker, theirHome());
    expect(broker.groups.groupCount).toBe(1);
    expect(await member.heartbeat()).toBe("NONE");
  });

  test("each of its offsets is deleted once, though its topics go in the same moment", async () => {
    broker.topic(others, "orders", 4);
    const theirs = new GroupClient(broker, others, "group");
    for (const partition of [0, 1, 2]) await theirs.commit(1, { partition });
    broker.apply({ type: "logical-cluster-deleted", lkc: others });
    await settle(broker);
    const [deletions] = theirHome().appended.slice(3);
    expect(theirHome().appended).toHaveLength(4);
    expect([...decodeRecords(new RecordBatchView(deletions!.records))]).toHaveLength(3);
  });

  test("a commit that is under way when its tenant goes does not stay behind in the log", async () => {
    broker.topic(others, "orders", 4);
    const theirs = new GroupClient(broker, others, "group");
    await theirs.commit(1);
    const partition = theirHome();
    partition.commitsAtOnce = false;
    const committing = theirs.commit(2, { partition: 3 });
    await broker.time.settle();

    broker.apply({ type: "logical-cluster-deleted", lkc: others });
    await settle(broker);
    partition.commitsAtOnce = true;
    partition.commit();
    await committing;
    await settle(broker);

    expect(broker.groups.groupCount).toBe(0);
    expect(keysLeft(partition)).toEqual([]);
  });
});
