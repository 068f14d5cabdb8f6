import { describe, expect, test } from "vitest";
import {
  type CreateTopicsCommand,
  decideCreateTopics,
  type NewTopic,
} from "../../../../../shared/metadata/commands/create-topics.ts";
import { encodeEntry } from "../../../../../shared/metadata/records/entry.ts";
import { apply, cellImage, contextOf, lkc } from "./cell-image.ts";

function topic(name: string, change: Partial<NewTopic> = {}): NewTopic {
  return { name, partitions: 1, replicationFactor: 3, configs: {}, ...change };
}

function command(topics: readonly NewTopic[], change: Partial<CreateTopicsCommand> = {}): CreateTopicsCommand {
  return { kind: "create-topics", lkc, topics, validateOnly: false, ...change };
}

describe("creating topics", () => {
  test("makes each topic with its partitions, the first alive voter leading epoch 1", () => {
    const image = cellImage(6);
    const reply = apply(
      image,
      decideCreateTopics(image, command([topic("orders", { partitions: 4 }), topic("clicks")]), contextOf(image)),
    );
    expect(reply.topics).toMatchObject([
      { kind: "created", name: "orders", partitions: 4, replicationFactor: 3 },
      { kind: "created", name: "clicks", partitions: 1, replicationFactor: 3 },
    ]);
    const orders = image.topicsOf(lkc)?.get("orders");
    expect(orders).toMatchObject({ lkc, name: "orders", createdMs: 1_790_000_000_000 });
    for (const [index, state] of (orders?.partitions ?? []).entries()) {
      expect(state).toMatchObject({
        partition: index,
        partitionEpoch: 1,
        leader: state.voters[0],
        leaderEpoch: 1,
        intendedEpoch: 1,
        outgoing: [],
        learners: [],
        lost: [],
        logStartOffset: 0,
      });
    }
    expect(new Set(orders?.partitions.map(({ leader }) => leader)).size).toBe(4);
  });

  test("takes the cell's defaults for -1", () => {
    const image = cellImage();
    image.cellConfigs = { "num.partitions": "5", "default.replication.factor": "2" };
    const wanted = topic("a", { partitions: -1, replicationFactor: -1 });
    const reply = apply(image, decideCreateTopics(image, command([wanted]), contextOf(image)));
    expect(reply.topics).toMatchObject([{ kind: "created", partitions: 5, replicationFactor: 2 }]);
  });

  test("a manual assignment is taken as it is; the leader is the first one alive", () => {
    const image = cellImage(6);
    const wanted = topic("a", {
      partitions: -1,
      replicationFactor: -1,
      assignment: [
        [3, 1],
        [5, 6],
      ],
    });
    apply(image, decideCreateTopics(image, command([wanted]), contextOf(image, { aliveBrokers: [1, 5] })));
    expect(image.topicsOf(lkc)?.get("a")?.partitions).toMatchObject([
      { voters: [3, 1], leader: 1 },
      { voters: [5, 6], leader: 5 },
    ]);
  });

  test("prefers brokers that are alive, and without any leaves the partition to an election", () => {
    const image = cellImage(4);
    const made = decideCreateTopics(
      image,
      command([topic("a", { partitions: 8 })]),
      contextOf(image, { aliveBrokers: [2, 3, 4] }),
    );
    apply(image, made);
    for (const { voters } of image.topicsOf(lkc)?.get("a")?.partitions ?? []) {
      expect(new Set(voters)).toEqual(new Set([2, 3, 4]));
    }
    apply(image, decideCreateTopics(image, command([topic("b")]), contextOf(image, { aliveBrokers: [] })));
    expect(image.topicsOf(lkc)?.get("b")?.partitions[0]).toMatchObject({
      leader: -1,
      leaderEpoch: 0,
      intendedEpoch: 0,
    });
  });

  const refusals: readonly (readonly [string, Partial<NewTopic> & { readonly name?: string }, string])[] = [
    ["an empty name", { name: "" }, "INVALID_TOPIC_EXCEPTION"],
    ["a name of dots", { name: ".." }, "INVALID_TOPIC_EXCEPTION"],
    ["a name with a space", { name: "a b" }, "INVALID_TOPIC_EXCEPTION"],
    ["a name of 250 characters", { name: "x".repeat(250) }, "INVALID_TOPIC_EXCEPTION"],
    ["a name that is taken", { name: "there" }, "TOPIC_ALREADY_EXISTS"],
    ["a name that collides with one there", { name: "with.dot" }, "INVALID_TOPIC_EXCEPTION"],
    ["no partitions", { partitions: 0 }, "INVALID_PARTITIONS"],
    ["-2 partitions", { partitions: -2 }, "INVALID_PARTITIONS"],
    ["too many partitions", { partitions: 10_001 }, "INVALID_PARTITIONS"],
    ["more partitions than a request may make", { partitions: 2_001 }, "POLICY_VIOLATION"],
    ["no replicas", { replicationFactor: 0 }, "INVALID_REPLICATION_FACTOR"],
    ["more replicas than brokers", { replicationFactor: 4 }, "INVALID_REPLICATION_FACTOR"],
    ["an unknown config", { configs: { "no.such": "1" } }, "INVALID_CONFIG"],
    ["a bad value", { configs: { "retention.ms": "soon" } }, "INVALID_CONFIG"],
    [
      "lags that contradict each other",
      { configs: { "min.compaction.lag.ms": "5", "max.compaction.lag.ms": "4" } },
      "INVALID_CONFIG",
    ],
    ["an assignment with a count", { partitions: 2, assignment: [[1]] }, "INVALID_REQUEST"],
    ["an empty assignment", { partitions: -1, replicationFactor: -1, assignment: [] }, "INVALID_REPLICA_ASSIGNMENT"],
    ["a broker twice", { partitions: -1, replicationFactor: -1, assignment: [[1, 1]] }, "INVALID_REPLICA_ASSIGNMENT"],
    ["an unknown broker", { partitions: -1, replicationFactor: -1, assignment: [[9]] }, "INVALID_REPLICA_ASSIGNMENT"],
    [
      "uneven replicas",
      { partitions: -1, replicationFactor: -1, assignment: [[1], [1, 2]] },
      "INVALID_REPLICA_ASSIGNMENT",
    ],
  ];
  for (const [what, change, error] of refusals) {
    test(`refuses ${what} with ${error}, and makes the others`, () => {
      const image = cellImage();
      apply(image, decideCreateTopics(image, command([topic("there"), topic("with_dot")]), contextOf(image)));
      const before = image.topics.size;
      const both = command([topic("bad", change), topic("good")]);
      const reply = apply(image, decideCreateTopics(image, both, contextOf(image)));
      expect(reply.topics).toMatchObject([
        { kind: "failed", name: change.name ?? "bad", error },
        { kind: "created", name: "good" },
      ]);
      expect(image.topics.size).toBe(before + 1);
    });
  }

  test("refuses both of two topics of one name, and the second of two that collide", () => {
    const image = cellImage();
    const topics = [topic("a"), topic("a"), topic("x.y"), topic("x_y"), topic("fine")];
    const reply = apply(image, decideCreateTopics(image, command(topics), contextOf(image)));
    expect(reply.topics.map((result) => (result.kind === "failed" ? result.error : "created"))).toEqual([
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "created",
      "INVALID_TOPIC_EXCEPTION",
      "created",
    ]);
  });

  test("other tenants' topics neither take names nor collide", () => {
    const image = cellImage();
    apply(image, {
      records: [{ type: "logical-cluster-upserted", lkc: "lkc-other", name: "o", createdMs: 1 }],
      reply: 0,
    });
    apply(image, decideCreateTopics(image, command([topic("a.b")]), contextOf(image)));
    const other = command([topic("a.b"), topic("a_c")], { lkc: "lkc-other" });
    const reply = apply(image, decideCreateTopics(image, other, contextOf(image)));
    expect(reply.topics.every(({ kind }) => kind === "created")).toBe(true);
    const absent = decideCreateTopics(image, command([topic("a")], { lkc: "lkc-absent" }), contextOf(image));
    expect(absent).toMatchObject({ records: [], reply: { topics: [{ kind: "failed", error: "INVALID_REQUEST" }] } });
  });

  test("validateOnly says what would happen, and writes nothing", () => {
    const image = cellImage();
    const decision = decideCreateTopics(
      image,
      command([topic("a"), topic("")], { validateOnly: true }),
      contextOf(image),
    );
    expect(decision.records).toEqual([]);
    expect(decision.reply.topics.map(({ kind }) => kind)).toEqual(["created", "failed"]);
  });

  test("tells the configs in effect, with what was overridden", () => {
    const image = cellImage();
    image.cellConfigs = { "log.retention.ms": "1000" };
    const wanted = topic("a", { configs: { "segment.bytes": " 2097152 " } });
    const reply = apply(image, decideCreateTopics(image, command([wanted]), contextOf(image)));
    const [made] = reply.topics;
    const configs = new Map(made?.kind === "created" ? made.configs.map((config) => [config.name, config]) : []);
    expect(configs.get("segment.bytes")).toMatchObject({ value: "2097152", source: "DYNAMIC_TOPIC_CONFIG" });
    expect(configs.get("retention.ms")).toMatchObject({ value: "1000", source: "DYNAMIC_DEFAULT_BROKER_CONFIG" });
    expect(configs.get("min.insync.replicas")).toMatchObject({ value: "2", source: "DEFAULT_CONFIG" });
    expect(image.topicsOf(lkc)?.get("a")?.configs).toEqual({ "segment.bytes": "2097152" });
  });

  test("what does not fit into one entry is refused, topic by topic", () => {
    const image = cellImage(15);
    const topics = Array.from({ length: 1_000 }, (_, index) => topic(`${"n".repeat(200)}-${index}`, { partitions: 2 }));
    const { records, reply } = decideCreateTopics(image, command(topics), contextOf(image));
    const made = reply.topics.filter(({ kind }) => kind === "created").length;
    expect(made).toBeGreaterThan(400);
    expect(reply.topics.at(-1)).toMatchObject({ kind: "failed", error: "POLICY_VIOLATION" });
    expect(records).toHaveLength(made * 2);
    expect(encodeEntry({ id: "0".repeat(32), writer: "w", featureLevel: 1, records }).kind).toBe("encoded");
  });

  test("the most partitions that a request may make fit into one entry", () => {
    const image = cellImage(15);
    const context = contextOf(image);
    const { records, reply } = decideCreateTopics(
      image,
      command([topic("a", { partitions: 2_000, replicationFactor: 15 })]),
      context,
    );
    expect(reply.topics[0]?.kind).toBe("created");
    expect(encodeEntry({ id: "0".repeat(32), writer: "w", featureLevel: 1, records }).kind).toBe("encoded");
  });
});
