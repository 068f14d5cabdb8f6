/** How much of a broker's memory one tenant's groups may take. */
import { beforeEach, describe, expect, test } from "vitest";
import { stateBytesPerTenantMax } from "../../../../broker/coordinator/limits.ts";
import { joinGroupHandler } from "../../../../broker/handlers/join-group.ts";
import { type ErrorName, kafkaErrorOf } from "../../../../shared/kafka/error-codes.ts";
import { failOver, GroupClient, settle, stableMember } from "./group-client.ts";
import { InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";
import type { InMemoryPartition } from "./in-memory-partitions.ts";

const mine = "lkc-aaaaa";
const others = "lkc-bbbbb";
const chunkBytes = 1_000_000;
const chunk = Buffer.alloc(chunkBytes);

let broker: InMemoryBroker;
let internal: readonly InMemoryPartition[];

beforeEach(async () => {
  broker = new InMemoryBroker(mine, others);
  for (const lkc of [mine, others]) broker.topic(lkc, "orders", 4);
  internal = await broker.hostGroups();
});

/** A new member (v3: it needs no id first) of a group of its own, which waits for its answer. */
function joinWith(client: InMemoryClient, groupId: string, metadata: Buffer) {
  return client.call(joinGroupHandler, 3, {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: "",
    protocolType: "other",
    protocols: [{ name: "any", metadata }],
  });
}

async function errorOfJoin(client: InMemoryClient, groupId: string, metadata: Buffer): Promise<ErrorName | undefined> {
  return kafkaErrorOf((await joinWith(client, groupId, metadata)).errorCode)?.name;
}

/** Members of groups of their own with large metadata, until less than such a one is left. */
async function fill(lkc = mine): Promise<InMemoryClient> {
  const client = new InMemoryClient(broker, lkc);
  for (let n = 0; broker.groups.stateBytes(lkc) + chunkBytes + 10_000 < stateBytesPerTenantMax; n += 1) {
    void joinWith(client, `full-${n}`, chunk);
    await broker.time.settle();
  }
  expect(broker.groups.stateBytes(lkc)).toBeGreaterThan(stateBytesPerTenantMax - 2 * chunkBytes);
  return client;
}

/** To the last byte. */
async function fillUp(): Promise<void> {
  const client = await fill();
  const before = broker.groups.stateBytes(mine);
  void joinWith(client, "rest-1", Buffer.alloc(0));
  await settle(broker);
  const after = broker.groups.stateBytes(mine);
  void joinWith(client, "rest-2", Buffer.alloc(stateBytesPerTenantMax - after - (after - before)));
  await settle(broker);
  expect(broker.groups.stateBytes(mine)).toBe(stateBytesPerTenantMax);
}

describe("a tenant that fills its broker with groups", () => {
  test("is refused new members beyond its limit, until others are gone", async () => {
    const client = await fill();
    const full = broker.groups.stateBytes(mine);
    expect(await errorOfJoin(client, "one-more", chunk)).toBe("POLICY_VIOLATION");
    expect(broker.groups.stateBytes(mine)).toBeLessThan(full + 4_096);

    // Connections end: members that know no id go at once.
    client.close();
    await settle(broker);
    expect(broker.groups.stateBytes(mine)).toBeLessThan(1_000_000);
    const joining = errorOfJoin(client, "one-more", chunk);
    await broker.time.advance(3_000);
    expect(await joining).toBe("NONE");
  });

  test("is refused larger assignments, while groups that stay as large as they are go on", async () => {
    const member = await stableMember(broker, mine, "group", Buffer.alloc(1_000));
    await fill();
    expect(await member.heartbeat()).toBe("NONE");
    expect((await member.join()).errorCode).toBe(0);
    const wider = await member.sync([{ memberId: member.memberId, assignment: Buffer.alloc(2_000_000) }]);
    expect(kafkaErrorOf(wider.errorCode)?.name).toBe("POLICY_VIOLATION");
    expect((await member.join()).errorCode).toBe(0);
    const same = await member.sync([{ memberId: member.memberId, assignment: Buffer.alloc(1_000, 1) }]);
    expect(same).toMatchObject({ errorCode: 0, assignment: Buffer.alloc(1_000, 1) });
    expect(await member.leave()).toBe("NONE");
  });

  test("is refused offsets that take more room, while those that take no more are committed", async () => {
    const member = await stableMember(broker, mine, "group");
    expect(await member.commit(100)).toBe("NONE");
    await fillUp();
    expect(await member.commit(200)).toBe("NONE");
    // Its metadata tells the offset, and so is longer.
    expect(await member.commit(1_000)).toBe("POLICY_VIOLATION");
    expect(await member.commit(10, { partition: 1 })).toBe("POLICY_VIOLATION");
    expect(await new GroupClient(broker, mine, "simple").commit(1)).toBe("POLICY_VIOLATION");
    expect(await member.committed()).toBe(200);
    expect(await member.heartbeat()).toBe("NONE");
  });

  test("takes nothing from others", async () => {
    await fill();
    const theirs = await stableMember(broker, others, "group");
    expect(await theirs.heartbeat()).toBe("NONE");
    expect(await theirs.commit(1)).toBe("NONE");
  });
});

describe("the count of a tenant's state", () => {
  test("is of what is loaded too, and ends with groups, tenants and leaderships", async () => {
    const member = await stableMember(broker, mine, "group", Buffer.alloc(5_000));
    const theirs = await stableMember(broker, others, "group", Buffer.alloc(5_000));
    const before = broker.groups.stateBytes(mine);
    expect(before).toBeGreaterThan(5_000);
    for (const partition of internal) await failOver(broker, partition);
    expect(broker.groups.stateBytes(mine)).toBe(before);

    expect(await member.leave()).toBe("NONE");
    await settle(broker);
    expect(broker.groups.stateBytes(mine)).toBeLessThan(before - 5_000);
    expect(await member.remove()).toBe("NONE");
    expect(broker.groups.stateBytes(mine)).toBe(0);

    expect(await theirs.heartbeat()).toBe("NONE");
    broker.apply({ type: "logical-cluster-deleted", lkc: others });
    await settle(broker);
    expect(broker.groups.stateBytes(others)).toBe(0);
  });

  test("is of offsets, also of those whose commit is under way", async () => {
    const simple = new GroupClient(broker, mine, "simple");
    for (const partition of internal) partition.commitsAtOnce = false;
    const committing = simple.commit(1);
    await settle(broker);
    const underWay = broker.groups.stateBytes(mine);
    for (const partition of internal) {
      partition.commitsAtOnce = true;
      partition.commit();
    }
    expect(await committing).toBe("NONE");
    await settle(broker);
    expect(broker.groups.stateBytes(mine)).toBe(underWay);
    expect(await simple.commit(2, { partition: 1 })).toBe("NONE");
    expect(broker.groups.stateBytes(mine)).toBeGreaterThan(underWay + 100);
    const both = broker.groups.stateBytes(mine);
    for (const partition of internal) await failOver(broker, partition);
    expect(broker.groups.stateBytes(mine)).toBe(both);
    expect(await simple.remove()).toBe("NONE");
    expect(broker.groups.stateBytes(mine)).toBe(0);
  });

  test("is of one leadership", async () => {
    await stableMember(broker, mine, "group");
    for (const partition of internal) {
      partition.loseLeadership();
      broker.groups.onLeadership(partition);
    }
    expect(broker.groups.stateBytes(mine)).toBe(0);
  });

  test("has thousands of honest groups far below the limit", async () => {
    await stableMember(broker, mine, "group", Buffer.alloc(1_000));
    expect(1_000 * 3 * broker.groups.stateBytes(mine)).toBeLessThan(stateBytesPerTenantMax / 8);
  });

  test("is of ids that were given to clients which did not come back", async () => {
    const before = broker.groups.stateBytes(mine);
    for (let n = 0; n < 100; n += 1) await new GroupClient(broker, mine, "group").join();
    expect(broker.groups.stateBytes(mine)).toBeGreaterThan(before + 100 * 500);
    await broker.time.advance(11_000);
    expect(broker.groups.stateBytes(mine)).toBeLessThan(before + 5_000);
  });
});
