import { describe, expect, test } from "vitest";
import { cellConfigTable } from "../../../../../shared/metadata/configs/cell-config-table.ts";
import { configFault, listItems, longMax } from "../../../../../shared/metadata/configs/config-definition.ts";
import {
  describeCellConfigs,
  describeTopicConfigs,
  effectiveTopicValue,
} from "../../../../../shared/metadata/configs/effective-config.ts";
import { topicConfigTable } from "../../../../../shared/metadata/configs/topic-config-table.ts";
import { parseCellConfigs, parseTopicConfigs } from "../../../../../shared/metadata/configs/topic-configs.ts";

function faultOf(name: string, value: string): string | undefined {
  const definition = topicConfigTable.get(name) ?? cellConfigTable.get(name);
  if (definition === undefined) {
    throw new Error(`${name} is not in a table`);
  }
  return configFault(definition, value);
}

describe("the tables of configurations", () => {
  test("take their own defaults, and describe every configuration", () => {
    for (const definition of [...topicConfigTable.values(), ...cellConfigTable.values()]) {
      expect(configFault(definition, definition.default)).toBeUndefined();
      expect(definition.documentation).toMatch(/^[A-Z].+\.$/);
    }
  });

  test("hold all topic configurations of Kafka 4.1, and no others", () => {
    expect([...topicConfigTable.keys()]).toEqual([
      "cleanup.policy",
      "compression.gzip.level",
      "compression.lz4.level",
      "compression.type",
      "compression.zstd.level",
      "delete.retention.ms",
      "file.delete.delay.ms",
      "flush.messages",
      "flush.ms",
      "follower.replication.throttled.replicas",
      "index.interval.bytes",
      "leader.replication.throttled.replicas",
      "local.retention.bytes",
      "local.retention.ms",
      "max.compaction.lag.ms",
      "max.message.bytes",
      "message.timestamp.after.max.ms",
      "message.timestamp.before.max.ms",
      "message.timestamp.type",
      "min.cleanable.dirty.ratio",
      "min.compaction.lag.ms",
      "min.insync.replicas",
      "preallocate",
      "remote.log.copy.disable",
      "remote.log.delete.on.disable",
      "remote.storage.enable",
      "retention.bytes",
      "retention.ms",
      "segment.bytes",
      "segment.index.bytes",
      "segment.jitter.ms",
      "segment.ms",
      "unclean.leader.election.enable",
    ]);
  });

  test("every broker synonym is a configuration of the cell, with the same default", () => {
    for (const { brokerSynonym, default: value } of topicConfigTable.values()) {
      if (brokerSynonym !== undefined) {
        expect(cellConfigTable.get(brokerSynonym)).toMatchObject({ default: value, dynamic: true });
      }
    }
  });
});

describe("values", () => {
  test.each([
    ["retention.ms", "-1"],
    ["retention.ms", longMax],
    ["retention.ms", " 5 "],
    ["local.retention.bytes", "-2"],
    ["min.cleanable.dirty.ratio", "0.25"],
    ["compression.gzip.level", "-1"],
    ["compression.gzip.level", "9"],
    ["compression.type", "zstd"],
    ["cleanup.policy", "delete"],
    ["preallocate", "true"],
    ["unclean.leader.election.enable", "false"],
    ["segment.bytes", "1048576"],
    ["max.message.bytes", "0"],
  ])("%s takes %s", (name, value) => {
    expect(faultOf(name, value)).toBeUndefined();
  });

  test.each([
    ["retention.ms", "-2", "at least -1"],
    ["retention.ms", "1.5", "whole number"],
    ["retention.ms", "", "whole number"],
    ["retention.ms", "9223372036854775808", "64 bits"],
    ["max.message.bytes", "2147483648", "whole number"],
    ["min.insync.replicas", "0", "at least 1"],
    ["min.cleanable.dirty.ratio", "1.1", "at most 1"],
    ["min.cleanable.dirty.ratio", "", "number"],
    ["compression.gzip.level", "0", "at least 1"],
    ["compression.type", "brotli", "one of"],
    ["cleanup.policy", "compact,forget", "must be delete, compact or both"],
    ["cleanup.policy", "", "must be delete"],
    ["preallocate", "TRUE", "true or false"],
    ["unclean.leader.election.enable", "true", "not offered"],
    ["remote.storage.enable", "true", "cannot be switched"],
    ["segment.bytes", "1048575", "at least 1048576"],
  ])("%s refuses %s: %s", (name, value, why) => {
    expect(faultOf(name, value)).toContain(why);
  });

  test("lists are cut at commas", () => {
    expect(listItems(" a, b ,,c")).toEqual(["a", "b", "c"]);
    expect(listItems("")).toEqual([]);
  });
});

describe("what is in effect", () => {
  const topicConfigs = { "retention.ms": "100" };
  const cellConfigs = { "log.retention.ms": "200", "log.segment.bytes": "2000000", "num.partitions": "3" };

  test("the topic's override, else the cell's, else the default, each with its source", () => {
    const described = new Map(describeTopicConfigs(topicConfigs, cellConfigs).map((config) => [config.name, config]));
    expect(described.get("retention.ms")).toMatchObject({
      value: "100",
      source: "DYNAMIC_TOPIC_CONFIG",
      type: "LONG",
      readOnly: false,
      synonyms: [
        { name: "retention.ms", value: "100", source: "DYNAMIC_TOPIC_CONFIG" },
        { name: "log.retention.ms", value: "200", source: "DYNAMIC_DEFAULT_BROKER_CONFIG" },
        { name: "log.retention.ms", value: "604800000", source: "DEFAULT_CONFIG" },
      ],
    });
    expect(described.get("segment.bytes")).toMatchObject({ value: "2000000", source: "DYNAMIC_DEFAULT_BROKER_CONFIG" });
    expect(described.get("flush.ms")).toMatchObject({ value: longMax, source: "DEFAULT_CONFIG" });
    expect(described.get("preallocate")?.synonyms).toHaveLength(1);
    expect(described.size).toBe(topicConfigTable.size);
    for (const { name, value } of described.values()) {
      expect(effectiveTopicValue(name, topicConfigs, cellConfigs)).toBe(value);
    }
  });

  test("what is fixed in the cell is read-only", () => {
    const described = new Map(describeCellConfigs(cellConfigs).map((config) => [config.name, config]));
    expect(described.get("num.partitions")).toMatchObject({ value: "3", readOnly: false });
    expect(described.get("socket.request.max.bytes")).toMatchObject({ readOnly: true, source: "DEFAULT_CONFIG" });
    expect(described.get("default.replication.factor")?.value).toBe("3");
  });

  test("is parsed to what brokers use", () => {
    expect(parseTopicConfigs(topicConfigs, cellConfigs)).toEqual({
      cleanupPolicy: ["delete"],
      compressionType: "producer",
      compressionGzipLevel: -1,
      compressionLz4Level: 9,
      compressionZstdLevel: 3,
      deleteRetentionMs: 86_400_000,
      fileDeleteDelayMs: 60_000,
      indexIntervalBytes: 4_096,
      localRetentionBytes: -2,
      localRetentionMs: -2,
      maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
      maxMessageBytes: 1_048_588,
      messageTimestampAfterMaxMs: 3_600_000,
      messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
      messageTimestampType: "CreateTime",
      minCleanableDirtyRatio: 0.5,
      minCompactionLagMs: 0,
      minInsyncReplicas: 2,
      retentionBytes: -1,
      retentionMs: 100,
      segmentBytes: 2_000_000,
      segmentIndexBytes: 10_485_760,
      segmentJitterMs: 0,
      segmentMs: 604_800_000,
    });
    expect(parseCellConfigs(cellConfigs)).toMatchObject({
      autoCreateTopicsEnable: true,
      defaultReplicationFactor: 3,
      numPartitions: 3,
      offsetsRetentionMs: 604_800_000,
      logCleanerEnable: true,
      logCleanerBackoffMs: 15_000,
      logCleanerDedupeBufferBytes: 64 * 1024 * 1024,
      logCleanerIoBytesPerSecond: 256 * 1024 * 1024,
    });
  });
});
