import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createRegistry } from "../../../../broker/dispatch/all-handlers.ts";
import { openRequest } from "../../../../broker/dispatch/open-request.ts";
import { HandlerRegistry } from "../../../../broker/dispatch/registry.ts";
import { register } from "../../../../broker/handlers/context/handler.ts";
import { findCoordinatorHandler } from "../../../../broker/handlers/find-coordinator.ts";
import { encodeRequest } from "../../../../shared/kafka/codec/message-codec.ts";
import { MalformedMessageError } from "../../../../shared/kafka/codec/message-error.ts";
import { allApis } from "../../../../shared/kafka/schema/registry.ts";
import { noMetrics } from "../../../../shared/telemetry/metrics.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";

const registry = createRegistry({ random: new SeededRandom("registry"), metrics: noMetrics });
const handlerFolder = path.join(import.meta.dirname, "../../../../broker/handlers");
const notHandlers = ["limits.ts"];

describe("the registry", () => {
  test("advertises what is served, from the lowest to the highest version, by key", () => {
    const ranges = registry.advertised().map(({ apiKey, minVersion, maxVersion }) => {
      const { name } = registry.apiByKey(apiKey)!;
      return `${name} ${minVersion}-${maxVersion}`;
    });
    expect(ranges).toEqual([
      "Produce 0-13",
      "Fetch 4-18",
      "ListOffsets 1-11",
      "Metadata 0-13",
      "OffsetCommit 2-10",
      "OffsetFetch 1-10",
      "FindCoordinator 0-6",
      "JoinGroup 0-9",
      "Heartbeat 0-4",
      "LeaveGroup 0-5",
      "SyncGroup 0-5",
      "DescribeGroups 0-6",
      "ListGroups 0-5",
      "SaslHandshake 0-1",
      "ApiVersions 0-4",
      "CreateTopics 2-7",
      "DeleteTopics 1-6",
      "DeleteRecords 0-2",
      "InitProducerId 0-5",
      "OffsetForLeaderEpoch 2-4",
      "DescribeConfigs 1-4",
      "AlterConfigs 0-2",
      "DescribeLogDirs 1-4",
      "SaslAuthenticate 0-2",
      "CreatePartitions 0-3",
      "DeleteGroups 0-2",
      "ElectLeaders 0-2",
      "IncrementalAlterConfigs 0-1",
      "ListPartitionReassignments 0-0",
      "OffsetDelete 0-0",
      "DescribeCluster 0-2",
      "DescribeTopicPartitions 0-0",
    ]);
  });

  test("every handler file is one API, is registered, and says in its head which versions it serves", () => {
    const files = readdirSync(handlerFolder).filter((name) => name.endsWith(".ts") && !notHandlers.includes(name));
    const names = registry.advertised().map(({ apiKey }) => kebabCase(registry.apiByKey(apiKey)!.name));
    expect(files.map((name) => name.slice(0, -".ts".length)).toSorted()).toEqual(names.toSorted());
    const misnamed = registry.advertised().filter(({ apiKey }) => {
      const { name, versions } = registry.apiByKey(apiKey)!;
      const text = readFileSync(path.join(handlerFolder, `${kebabCase(name)}.ts`), "utf8");
      return !text.startsWith(`/**\n * ${name}, v${versions.min}`);
    });
    expect(misnamed).toEqual([]);
  });

  test("an API has one handler", () => {
    const twice = [register(findCoordinatorHandler), register(findCoordinatorHandler)];
    expect(() => new HandlerRegistry(twice, noMetrics)).toThrow("two handlers");
  });
});

describe("opening a request", () => {
  const frame = (apiKey: number, version: number) => {
    const header = Buffer.alloc(10);
    header.writeInt16BE(apiKey, 0);
    header.writeInt16BE(version, 2);
    header.writeInt32BE(77, 4);
    header.writeInt16BE(-1, 8);
    return header;
  };

  test("finds the handler, the version and the body", () => {
    const { api } = findCoordinatorHandler;
    const header = { correlationId: 9, clientId: "me" };
    const chunks = encodeRequest(api, 2, header, { key: "g", keyType: 0 });
    const opened = openRequest(registry, Buffer.concat(chunks).subarray(4));
    expect(opened).toMatchObject({ kind: "request", request: { version: 2, correlationId: 9, clientId: "me" } });
  });

  test("what is not served is named, except ApiVersions, which is answered", () => {
    expect(openRequest(registry, frame(0, 2))).toEqual({ kind: "unsupported", apiKey: 0, version: 2 });
    expect(openRequest(registry, frame(1, 19))).toEqual({ kind: "unsupported", apiKey: 1, version: 19 });
    expect(openRequest(registry, frame(999, 0))).toMatchObject({ kind: "unsupported", apiKey: 999 });
    expect(openRequest(registry, frame(-1, -1))).toMatchObject({ kind: "unsupported" });
    expect(openRequest(registry, frame(18, 5))).toMatchObject({ kind: "answered" });
    const known = new Set(registry.advertised().map(({ apiKey }) => apiKey));
    for (const { key, versions } of allApis) {
      if (!known.has(key)) expect(openRequest(registry, frame(key, versions.min)).kind).toBe("unsupported");
    }
  });

  test("a header that cannot be read is malformed", () => {
    for (const length of [0, 1, 4, 7, 9]) {
      expect(() => openRequest(registry, frame(3, 1).subarray(0, length))).toThrow(MalformedMessageError);
    }
  });
});

function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
