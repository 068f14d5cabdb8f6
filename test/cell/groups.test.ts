import { Admin, Consumer } from "@platformatic/kafka";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GroupLedger } from "./group-ledger.ts";
import { GroupMember, type MemberSettings } from "./group-member.ts";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { platformatic } from "./platformatic-client.ts";
import {
  type ClientLibrary,
  type ConnectionSettings,
  lastingly,
  type TestClient,
  type TestProducer,
} from "./test-client.ts";
import { until } from "./until.ts";

const partitionCount = 6;
/**
 * Longer than any machine stands still. A member that is held for dead comes back, and processes what it had fetched before: by
 * right, and these tests are about groups in which nothing is read again.
 */
const sessionTimeoutMs = 30_000;
/** Shorter, so that a member that was killed is missed soon, or one that came back as another one after its coordinator was. */
const mortalSessionTimeoutMs = 8_000;
const mortal = { sessionMs: mortalSessionTimeoutMs };
const quickGroups = ["--set", "group.initial.rebalance.delay.ms=0"];
const libraries = [kafkajs, platformatic];

let cloud: LocalCloudProcess;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--restart-after", "0", ...quickGroups]);
});
afterAll(() => cloud.dispose());

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** A topic, a producer into it, and the group that reads it. */
class ReadTopic {
  readonly ledger = new GroupLedger();
  readonly #library: ClientLibrary;
  readonly #connection: ConnectionSettings;
  readonly #name: string;
  readonly #producer: TestProducer;
  readonly #members: GroupMember[] = [];
  /** Records acknowledged to the producer, by partition. */
  readonly ends = Array.from({ length: partitionCount }, () => 0);

  static async make(library: ClientLibrary, name: string, connection = cloud.plaintext): Promise<ReadTopic> {
    const client: TestClient = library.connect(connection, "producer");
    await client.createTopic(name, partitionCount);
    const producer = await client.producer({ idempotent: true });
    cleanUps.push(
      () => client.close(),
      () => producer.close(),
    );
    return new ReadTopic(library, { connection, name, producer });
  }

  private constructor(
    library: ClientLibrary,
    made: { readonly connection: ConnectionSettings; readonly name: string; readonly producer: TestProducer },
  ) {
    this.#library = library;
    this.#connection = made.connection;
    this.#name = made.name;
    this.#producer = made.producer;
  }

  member({ clientId = "member", sessionMs = sessionTimeoutMs } = {}): GroupMember {
    const settings: MemberSettings = {
      library: this.#library.name,
      connection: this.#connection,
      clientId,
      groupId: this.#name,
      topic: this.#name,
      sessionTimeoutMs: sessionMs,
    };
    const member = new GroupMember(settings, this.ledger);
    this.#members.push(member);
    cleanUps.push(() => member.kill());
    return member;
  }

  async leaveAll(): Promise<void> {
    for (const member of this.#members) await member.leave();
  }

  /** As many records into every partition. */
  async produce(count: number, prefix = "value"): Promise<void> {
    for (let partition = 0; partition < partitionCount; partition++) {
      const first = this.ends[partition] ?? 0;
      const values = Array.from({ length: count }, (_, index) => `${prefix} ${partition}@${first + index}`);
      await this.#producer.send(this.#name, values, partition);
      this.ends[partition] = first + count;
    }
  }

  untilAssigned(what: string, shares: ReadonlyMap<GroupMember, number>): Promise<void> {
    return this.ledger.until(what, () => {
      const held = new Set([...shares.keys()].flatMap(({ partitions }) => partitions));
      return (
        held.size === partitionCount && [...shares].every(([{ partitions }, share]) => partitions.length === share)
      );
    });
  }

  untilAllCommitted(): Promise<void> {
    const total = this.ends.reduce((sum, end) => sum + end, 0);
    return this.ledger.until(`all ${total} committed`, () => this.ledger.committedCount() === total);
  }

  expectNothingSkipped(): void {
    expect(this.ledger.skipped(this.ends)).toEqual([]);
    expect(this.ledger.problems).toEqual([]);
  }
}

const nameFor = (library: ClientLibrary, subject: string) => `${subject}-${library === kafkajs ? "kjs" : "plt"}`;

async function coordinatorOf(groupId: string): Promise<number> {
  const bootstrapBrokers = [...cloud.plaintext.bootstrap];
  const consumer = new Consumer({ clientId: "look-up", groupId, bootstrapBrokers, retries: 40, retryDelay: 100 });
  try {
    return await consumer.findGroupCoordinator();
  } finally {
    await consumer.close();
  }
}

function adminOf({ bootstrap, secure }: ConnectionSettings): Admin {
  const admin = new Admin({
    clientId: "admin",
    bootstrapBrokers: [...bootstrap],
    retries: 40,
    retryDelay: 100,
    ...(secure && {
      tls: { ca: [secure.authority] },
      sasl: { mechanism: "PLAIN" as const, username: secure.username, password: secure.password },
    }),
  });
  cleanUps.push(() => admin.close());
  return admin;
}

/** Next offsets by partition, as kafkajs reads them: -1 for none. */
async function committedBy({ bootstrap, secure }: ConnectionSettings, groupId: string, topic: string) {
  const kafka = new Kafka({
    brokers: [...bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 40 },
    ...(secure && {
      ssl: { ca: [secure.authority] },
      sasl: { mechanism: "plain" as const, username: secure.username, password: secure.password },
    }),
  });
  const admin = kafka.admin();
  await admin.connect();
  const [found] = await lastingly(() => admin.fetchOffsets({ groupId, topics: [topic] }));
  await admin.disconnect();
  return found?.partitions
    .toSorted((left, right) => left.partition - right.partition)
    .map(({ offset }) => Number(offset));
}

describe.each(libraries)("$name", (library) => {
  test("one member, three, one, another one: every record is processed, what is committed is not read again", async () => {
    const topic = await ReadTopic.make(library, nameFor(library, "scale"));
    const first = topic.member();
    await topic.untilAssigned("one member has all", new Map([[first, 6]]));
    await topic.produce(10);
    await topic.untilAllCommitted();
    const second = topic.member();
    const third = topic.member();
    await topic.untilAssigned("three share", new Map([[first, 2], [second, 2], [third, 2]])); // biome-ignore format: one line
    await topic.produce(10);
    await topic.untilAllCommitted();
    await second.leave();
    await third.leave();
    await topic.untilAssigned("the first has all again", new Map([[first, 6]]));
    await topic.produce(10);
    await topic.untilAllCommitted();
    await first.leave();
    await topic.produce(2, "new");
    const successor = topic.member();
    await topic.untilAllCommitted();
    topic.expectNothingSkipped();
    expect([...new Set(successor.values)].toSorted()).toEqual(
      topic.ends.flatMap((end, partition) => [`new ${partition}@${end - 2}`, `new ${partition}@${end - 1}`]),
    );
  });

  test("a member killed with -9: the others go on where it had committed", async () => {
    const topic = await ReadTopic.make(library, nameFor(library, "killed-member"));
    const [victim, other] = [topic.member(mortal), topic.member(mortal)];
    await topic.untilAssigned("two share", new Map([[victim, 3], [other, 3]])); // biome-ignore format: one line
    await topic.produce(20);
    await topic.ledger.until("the victim is at work", () => victim.values.length > 5);
    await victim.kill();
    await topic.produce(20);
    await topic.untilAssigned("the other has all", new Map([[other, 6]]));
    await topic.untilAllCommitted();
    topic.expectNothingSkipped();
  });

  test("the coordinator's broker killed with -9 while consuming: the group goes on, no committed offset is lost", async () => {
    const name = nameFor(library, "killed-coordinator");
    const topic = await ReadTopic.make(library, name);
    const members = [topic.member(mortal), topic.member(mortal)];
    await topic.untilAssigned("two share", new Map(members.map((member) => [member, 3])));
    await topic.produce(20);
    const coordinator = await coordinatorOf(name);
    await topic.ledger.until("both are at work", () => members.every(({ values }) => values.length > 5));
    expect((await cloud.broker("kill", coordinator)).code).toBe(0);
    await topic.produce(20);
    await topic.untilAllCommitted();
    // Whoever is asked may hear of it a moment later.
    await until(async () => (await coordinatorOf(name)) !== coordinator);
    expect((await cloud.broker("start", coordinator)).code).toBe(0);
    topic.expectNothingSkipped();
  });
});

test("two tenants with the same group, topic and member names never meet", async () => {
  const tenants = [await cloud.makeTenant("red"), await cloud.makeTenant("blue")].map((tenant) => cloud.secure(tenant));
  const topics: ReadTopic[] = [];
  for (const [index, connection] of tenants.entries()) {
    const topic = await ReadTopic.make(libraries[index] ?? kafkajs, "shared", connection);
    topics.push(topic);
    const member = topic.member({ clientId: "same-client-id" });
    await topic.produce(5, `tenant ${index}`);
    await topic.untilAssigned("each has all of its own", new Map([[member, 6]]));
    await topic.untilAllCommitted();
    topic.expectNothingSkipped();
    expect(new Set(member.values.map((value) => value.slice(0, 8)))).toEqual(new Set([`tenant ${index}`]));
  }
  const [red, blue] = topics;
  // The one goes on while the other is read, described, and in the end deleted.
  for (const [index, connection] of tenants.entries()) {
    const admin = adminOf(connection);
    expect([...(await admin.listGroups()).keys()]).toEqual(["shared"]);
    const described = (await admin.describeGroups({ groups: ["shared"] })).get("shared");
    expect(described?.state).toBe("Stable");
    const [member, ...others] = [...(described?.members.values() ?? [])];
    expect(others).toEqual([]);
    expect(member?.clientId).toBe("same-client-id");
    expect(await committedBy(connection, "shared", "shared")).toEqual(topics[index]?.ends);
  }
  expect([...(await adminOf(cloud.plaintext).listGroups()).keys()]).not.toContain("shared");
  await red?.leaveAll();
  const [redConnection = cloud.plaintext, blueConnection = cloud.plaintext] = tenants;
  await adminOf(redConnection).deleteGroups({ groups: ["shared"] });
  expect([...(await adminOf(redConnection).listGroups()).keys()]).toEqual([]);
  await blue?.produce(5, "tenant 1");
  await blue?.untilAllCommitted();
  expect(await committedBy(blueConnection, "shared", "shared")).toEqual(blue?.ends);
});

test("offsets survive a restart of the whole cloud, and kill -9 of all of it", async () => {
  const topic = await ReadTopic.make(kafkajs, "kept");
  const before = topic.member();
  await topic.produce(5);
  await topic.untilAllCommitted();
  await before.leave();
  expect(await cloud.end()).toBe(0);
  await cloud.launch();
  expect(await committedBy(cloud.plaintext, "kept", "kept")).toEqual(topic.ends);
  for (const { id } of cloud.ready.brokers) process.kill(cloud.processOf(id) ?? 0, "SIGKILL");
  await cloud.end("SIGKILL");
  await cloud.launch();
  expect(await committedBy(cloud.plaintext, "kept", "kept")).toEqual(topic.ends);
  const again = await ReadTopic.make(platformatic, "kept-on");
  const member = again.member();
  await again.produce(1);
  await again.untilAllCommitted();
  await member.leave();
  again.expectNothingSkipped();
});
