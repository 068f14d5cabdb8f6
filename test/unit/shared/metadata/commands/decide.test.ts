import { describe, expect, test } from "vitest";
import type { CommandContext } from "../../../../../shared/metadata/commands/command-context.ts";
import { decide } from "../../../../../shared/metadata/commands/decide.ts";
import type { MetadataCommand, ReplyTo } from "../../../../../shared/metadata/commands/metadata-command.ts";
import type { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import { replayUnnumbered } from "../../../../../shared/metadata/image/replay.ts";
import { apply, cellImage, contextOf, lkc } from "./cell-image.ts";

/** Decides, writes, and sends command and reply through JSON, as brokers do. */
function run<C extends MetadataCommand>(
  image: ImageState,
  command: C,
  change: Partial<CommandContext> = {},
): ReplyTo<C> {
  const forwarded = JSON.parse(JSON.stringify(command)) as C;
  const reply = apply(image, decide(image, forwarded, contextOf(image, change)));
  expect(JSON.parse(JSON.stringify(reply))).toEqual(reply);
  return reply;
}

function withTopics(...names: readonly string[]): ImageState {
  const image = cellImage();
  const topics = names.map((name) => ({ name, partitions: 2, replicationFactor: 3, configs: {} }));
  run(image, { kind: "create-topics", lkc, topics, validateOnly: false });
  return image;
}

function errorOf(result: { readonly kind: string; readonly error?: string } | undefined): string | undefined {
  return result?.kind === "failed" ? result.error : result?.kind;
}

describe("making a logical cluster", () => {
  test("whose name is too long is refused with what is allowed", () => {
    const reply = run(cellImage(), { kind: "create-logical-cluster", lkc: "lkc-0000000a", name: "y".repeat(3_000) });
    expect(reply).toMatchObject({ kind: "failed", error: "INVALID_REQUEST" });
    expect(reply.kind === "failed" && reply.message).toMatch(/name has \d+ characters at most, not 3000/);
  });
});

describe("deleting topics", () => {
  test("by name and by id, each for itself", () => {
    const image = withTopics("a", "b", "c");
    const topicId = image.topicsOf(lkc)?.get("b")?.topicId ?? "";
    const reply = run(image, {
      kind: "delete-topics",
      lkc,
      topics: [
        { by: "name", name: "a" },
        { by: "id", topicId },
        { by: "name", name: "none" },
        { by: "id", topicId: "f".repeat(32) },
        { by: "name", name: "a" },
      ],
    });
    expect(reply.topics.map(errorOf)).toEqual([
      "deleted",
      "deleted",
      "UNKNOWN_TOPIC_OR_PARTITION",
      "UNKNOWN_TOPIC_ID",
      "INVALID_REQUEST",
    ]);
    expect([...(image.topicsOf(lkc)?.keys() ?? [])]).toEqual(["c"]);
  });

  test("another tenant's topic cannot be deleted, not even by its id", () => {
    const image = withTopics("a");
    run(image, { kind: "create-logical-cluster", lkc: "lkc-other", name: "other" });
    const topicId = image.topicsOf(lkc)?.get("a")?.topicId ?? "";
    const reply = run(image, {
      kind: "delete-topics",
      lkc: "lkc-other",
      topics: [
        { by: "id", topicId },
        { by: "name", name: "a" },
      ],
    });
    expect(reply.topics.map(errorOf)).toEqual(["UNKNOWN_TOPIC_ID", "UNKNOWN_TOPIC_OR_PARTITION"]);
    expect(image.topics.size).toBe(1);
  });
});

describe("adding partitions", () => {
  const grow = (image: ImageState, growth: object, validateOnly = false) =>
    run(image, { kind: "create-partitions", lkc, topics: [{ name: "a", count: 4, ...growth }], validateOnly })
      .topics[0];

  test("they follow those that are there, with as many replicas", () => {
    const image = withTopics("a");
    expect(grow(image, {})).toEqual({ kind: "grown", name: "a", partitions: 4 });
    const partitions = image.topicsOf(lkc)?.get("a")?.partitions ?? [];
    expect(partitions.map(({ partition, voters, leaderEpoch }) => [partition, voters.length, leaderEpoch])).toEqual([
      [0, 3, 1],
      [1, 3, 1],
      [2, 3, 1],
      [3, 3, 1],
    ]);
    expect(grow(image, { count: 5, assignment: [[2, 3, 1]] })).toMatchObject({ kind: "grown" });
    expect(image.topicsOf(lkc)?.get("a")?.partitions[4]?.voters).toEqual([2, 3, 1]);
  });

  test.each([
    [{ name: "none" }, "UNKNOWN_TOPIC_OR_PARTITION"],
    [{ count: 2 }, "INVALID_PARTITIONS"],
    [{ count: 1 }, "INVALID_PARTITIONS"],
    [{ count: 10_001 }, "INVALID_PARTITIONS"],
    [{ count: 3_000 }, "POLICY_VIOLATION"],
    [{ count: 3, assignment: [] }, "INVALID_REPLICA_ASSIGNMENT"],
    [{ count: 3, assignment: [[1, 2]] }, "INVALID_REPLICA_ASSIGNMENT"],
    [{ count: 3, assignment: [[1, 2, 9]] }, "INVALID_REPLICA_ASSIGNMENT"],
  ])("%j: %s", (growth, error) => {
    const image = withTopics("a");
    expect(errorOf(grow(image, growth))).toBe(error);
    expect(image.topicsOf(lkc)?.get("a")?.partitions).toHaveLength(2);
  });

  test("validateOnly writes nothing", () => {
    const image = withTopics("a");
    expect(grow(image, {}, true)).toMatchObject({ kind: "grown" });
    expect(image.topicsOf(lkc)?.get("a")?.partitions).toHaveLength(2);
  });
});

describe("configurations", () => {
  const configsOf = (image: ImageState) => image.topicsOf(lkc)?.get("a")?.configs;
  const topic = { type: "topic", name: "a" } as const;
  const change = (image: ImageState, changes: readonly object[], resource: object = topic) =>
    run(image, {
      kind: "incremental-alter-configs",
      lkc,
      resources: [{ resource, changes }],
      validateOnly: false,
    } as Extract<MetadataCommand, { kind: "incremental-alter-configs" }>).resources[0];

  test("replacing takes all that was there away", () => {
    const image = withTopics("a");
    change(image, [{ op: "set", name: "retention.ms", value: "1" }]);
    const configs = { "segment.bytes": "2000000" };
    run(image, { kind: "alter-configs", lkc, resources: [{ resource: topic, configs }], validateOnly: false });
    expect(configsOf(image)).toEqual(configs);
  });

  test("single ones are set, deleted, appended to and subtracted from", () => {
    const image = withTopics("a");
    change(image, [
      { op: "set", name: "retention.ms", value: " 60000 " },
      { op: "set", name: "segment.ms", value: "1000" },
    ]);
    change(image, [
      { op: "delete", name: "segment.ms" },
      { op: "delete", name: "flush.ms" },
    ]);
    expect(configsOf(image)).toEqual({ "retention.ms": "60000" });
    const list = "leader.replication.throttled.replicas";
    change(image, [{ op: "append", name: list, value: "0:1,1:2" }]);
    change(image, [{ op: "append", name: list, value: "1:2,2:3" }]);
    change(image, [{ op: "subtract", name: list, value: "0:1" }]);
    expect(configsOf(image)).toEqual({ "retention.ms": "60000", [list]: "1:2,2:3" });
  });

  test.each([
    [[{ op: "set", name: "no.such", value: "1" }], topic, "INVALID_CONFIG"],
    [[{ op: "delete", name: "no.such" }], topic, "INVALID_CONFIG"],
    [[{ op: "set", name: "retention.ms", value: "-2" }], topic, "INVALID_CONFIG"],
    [[{ op: "append", name: "retention.ms", value: "1" }], topic, "INVALID_CONFIG"],
    [[{ op: "append", name: "cleanup.policy", value: "forget" }], topic, "INVALID_CONFIG"],
    [
      [
        { op: "set", name: "max.compaction.lag.ms", value: "1" },
        { op: "set", name: "min.compaction.lag.ms", value: "2" },
      ],
      topic,
      "INVALID_CONFIG",
    ],
    [
      [
        { op: "set", name: "log.cleaner.min.compaction.lag.ms", value: "9223372036854775807" },
        { op: "set", name: "log.cleaner.max.compaction.lag.ms", value: "9223372036854775806" },
      ],
      { type: "cell" },
      "INVALID_CONFIG",
    ],
    [[{ op: "set", name: "unclean.leader.election.enable", value: "true" }], topic, "INVALID_CONFIG"],
    [
      [
        { op: "set", name: "a", value: "1" },
        { op: "delete", name: "a" },
      ],
      topic,
      "INVALID_REQUEST",
    ],
    [[], { type: "topic", name: "none" }, "UNKNOWN_TOPIC_OR_PARTITION"],
    [[{ op: "set", name: "replica.lag.time.max.ms", value: "1" }], { type: "cell" }, "INVALID_CONFIG"],
  ])("%j on %j: %s", (changes, resource, error) => {
    const image = withTopics("a");
    expect(errorOf(change(image, changes, resource))).toBe(error);
    expect(configsOf(image)).toEqual({});
    expect(image.cellConfigs).toEqual({});
  });

  test("those of the cell are the defaults of its topics", () => {
    const image = withTopics("a");
    expect(change(image, [{ op: "set", name: "num.partitions", value: "7" }], { type: "cell" })).toMatchObject({
      kind: "altered",
    });
    expect(image.cellConfigs).toEqual({ "num.partitions": "7" });
    expect(run(image, { kind: "set-cell-configs", configs: { "log.retention.ms": "9" } })).toEqual({ kind: "done" });
    expect(image.cellConfigs).toEqual({ "log.retention.ms": "9" });
    expect(errorOf(run(image, { kind: "set-cell-configs", configs: { "no.such": "9" } }))).toBe("INVALID_CONFIG");
  });

  test("a resource named twice is refused, and a dry run writes nothing", () => {
    const image = withTopics("a", "b");
    const set = (name: string) => ({ resource: { type: "topic", name }, configs: { "retention.ms": "5" } }) as const;
    const twice = run(image, {
      kind: "alter-configs",
      lkc,
      resources: [set("a"), set("a"), set("b")],
      validateOnly: true,
    });
    expect(twice.resources.map(errorOf)).toEqual(["altered", "INVALID_REQUEST", "altered"]);
    expect(configsOf(image)).toEqual({});
  });
});

describe("logical clusters and API keys", () => {
  test("are made once, ensured, and go with all that is theirs", () => {
    const image = withTopics("a");
    expect(run(image, { kind: "ensure-logical-cluster", lkc, name: "x" })).toEqual({
      kind: "done",
      lkc,
      changed: false,
    });
    expect(errorOf(run(image, { kind: "create-logical-cluster", lkc, name: "x" }))).toBe("DUPLICATE_RESOURCE");
    expect(errorOf(run(image, { kind: "create-logical-cluster", lkc: "lkc-NO", name: "x" }))).toBe("INVALID_REQUEST");
    expect(run(image, { kind: "ensure-logical-cluster", lkc: "lkc-new00", name: "x" })).toMatchObject({
      changed: true,
    });

    const key = { kind: "create-api-key", lkc, keyId: "K1", principal: "User:a", verifier: "v" } as const;
    expect(run(image, key)).toEqual({ kind: "done", keyId: "K1", changed: true });
    expect(run(image, key)).toEqual({ kind: "done", keyId: "K1", changed: false });
    expect(errorOf(run(image, { ...key, verifier: "w" }))).toBe("DUPLICATE_RESOURCE");
    expect(errorOf(run(image, { ...key, lkc: "lkc-new00" }))).toBe("DUPLICATE_RESOURCE");
    expect(errorOf(run(image, { ...key, keyId: "K2", lkc: "lkc-absent" }))).toBe("RESOURCE_NOT_FOUND");
    expect(errorOf(run(image, { ...key, keyId: "" }))).toBe("INVALID_REQUEST");
    expect(run(image, { kind: "delete-api-key", lkc: "lkc-new00", keyId: "K1" })).toMatchObject({ changed: false });

    expect(run(image, { kind: "delete-logical-cluster", lkc })).toMatchObject({ changed: true });
    expect([image.topics.size, image.apiKeys.size]).toEqual([0, 0]);
    expect(run(image, { kind: "delete-logical-cluster", lkc })).toMatchObject({ changed: false });
    expect(errorOf(run(image, { kind: "delete-logical-cluster", lkc: "lkc-internal" }))).toBe("INVALID_REQUEST");
  });
});

describe("brokers", () => {
  const endpoint = { host: "h", port: 1 };
  const start = {
    kind: "register-broker",
    storageId: "new",
    incarnationId: "start-1",
    zone: "a",
    peer: endpoint,
    listeners: { plain: endpoint },
    featureLevelMax: 1,
    suspect: false,
  } as const;

  test("get an id that nobody had, and keep it while their data is theirs", () => {
    const image = cellImage();
    expect(run(image, start)).toEqual({ kind: "registered", brokerId: 4 });
    expect(run(image, start)).toEqual({ kind: "registered", brokerId: 4 });
    expect(run(image, { ...start, brokerId: 4, incarnationId: "start-2" })).toEqual({
      kind: "registered",
      brokerId: 4,
    });
    expect(image.brokers.get(4)?.incarnationId).toBe("start-2");
    expect(run(image, { ...start, brokerId: 4, storageId: "other" })).toEqual({ kind: "id-taken", brokerId: 4 });
    expect(run(image, { kind: "unregister-broker", brokerId: 4 })).toEqual({ kind: "unregistered", changed: true });
    expect(run(image, { kind: "unregister-broker", brokerId: 4 })).toEqual({ kind: "unregistered", changed: false });
    expect(run(image, { ...start, brokerId: 4 })).toEqual({ kind: "id-taken", brokerId: 4 });
    expect(run(image, start)).toEqual({ kind: "registered", brokerId: 5 });
    expect(run(image, { ...start, storageId: "six", brokerId: 9 })).toEqual({ kind: "registered", brokerId: 9 });
  });

  test("one that may have lost its data is lost wherever it votes, once for each start", () => {
    const image = withTopics("a", "b");
    const suspect = { ...start, brokerId: 2, storageId: "storage-2", incarnationId: "after", suspect: true };
    expect(run(image, suspect)).toEqual({ kind: "registered", brokerId: 2 });
    const states = [...image.topics.values()].flatMap(({ partitions }) => partitions);
    expect(states.map(({ lost, partitionEpoch, leaderEpoch }) => [lost, partitionEpoch, leaderEpoch])).toEqual(
      states.map(() => [[2], 2, 1]),
    );
    const [topic] = image.topics.values();
    const promoted = (topic?.partitions ?? []).map((state) => ({ ...state, lost: [], partitionEpoch: 3 }));
    replayUnnumbered(image, [{ type: "partitions-upserted", topicId: topic?.topicId ?? "", partitions: promoted }]);
    run(image, suspect);
    expect(image.topics.get(topic?.topicId ?? "")?.partitions.map(({ lost }) => lost)).toEqual([[], []]);
    run(image, { ...suspect, incarnationId: "again" });
    expect(image.topics.get(topic?.topicId ?? "")?.partitions.map(({ lost }) => lost)).toEqual([[2], [2]]);
  });

  test("one that was lost already and loses its data again gets new records, which void what was reported of it", () => {
    const image = withTopics("a");
    const suspect = { ...start, brokerId: 2, storageId: "storage-2", incarnationId: "after", suspect: true };
    run(image, suspect);
    run(image, { ...suspect, incarnationId: "again" });
    const states = [...image.topics.values()].flatMap(({ partitions }) => partitions);
    expect(states.map(({ lost, partitionEpoch }) => [lost, partitionEpoch])).toEqual(states.map(() => [[2], 3]));
  });

  test("marking more partitions than an entry holds goes in steps", () => {
    const image = cellImage();
    for (const name of ["a", "b", "c", "d"]) {
      const topics = [{ name, partitions: 2_000, replicationFactor: 3, configs: {} }];
      run(image, { kind: "create-topics", lkc, topics, validateOnly: false });
    }
    const suspect = { ...start, brokerId: 2, storageId: "storage-2", incarnationId: "after", suspect: true };
    const kinds = [run(image, suspect), run(image, suspect)].map(({ kind }) => kind);
    expect(kinds).toEqual(["continue", "registered"]);
    const lost = [...image.topics.values()].flatMap(({ partitions }) => partitions.map((state) => state.lost));
    expect(lost.every((ids) => ids.join() === "2")).toBe(true);
  });

  test("a broker that still holds replicas is not removed; one that is too old is not let in", () => {
    const image = withTopics("a");
    expect(run(image, { kind: "unregister-broker", brokerId: 1 })).toEqual({ kind: "in-use", partitions: 2 });
    image.featureLevel = 2;
    expect(errorOf(run(image, start))).toBe("UNSUPPORTED_VERSION");
    expect(errorOf(run(image, { ...start, featureLevelMax: 2, brokerId: -1 }))).toBe("INVALID_REQUEST");
    expect(errorOf(run(image, { ...start, featureLevelMax: 2, storageId: "" }))).toBe("INVALID_REQUEST");
  });
});

describe("producer ids", () => {
  test("come in blocks that nobody else in the fleet ever gets", () => {
    const image = cellImage();
    const command = { kind: "allocate-producer-ids", brokerId: 1 } as const;
    const cell = 2 ** 40;
    expect(run(image, command)).toEqual({ kind: "allocated", first: cell, count: 1_000 });
    expect(run(image, command)).toEqual({ kind: "allocated", first: cell + 1_000, count: 1_000 });
    expect(run(cellImage(), command, { cellNumber: 2 })).toEqual({ kind: "allocated", first: 2 * cell, count: 1_000 });
    expect(errorOf(run(image, { ...command, brokerId: 9 }))).toBe("BROKER_ID_NOT_REGISTERED");
    const top = run(cellImage(), command, { cellNumber: 8_191 });
    expect(Number.isSafeInteger(top.kind === "allocated" ? top.first + cell - 1 : Number.NaN)).toBe(true);
    expect(() => run(cellImage(), command, { cellNumber: 8_192 })).toThrow("cell number");
  });
});
