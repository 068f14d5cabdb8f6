import { expect, test } from "vitest";
import { type BrokerConfig, readBrokerConfig } from "../../../../shared/broker-config/broker-config.ts";

const config: BrokerConfig = {
  cell: "local",
  cellNumber: 1,
  brokerId: 2,
  zone: "zone-b",
  dataDirectory: "data/brokers/2",
  peer: { host: "127.0.0.1", port: 0 },
  admin: { host: "127.0.0.1", port: 9642 },
  listeners: [
    {
      name: "PLAINTEXT",
      protocol: "plaintext",
      host: "127.0.0.1",
      port: 9092,
      advertisedHost: "localhost",
      advertisedPort: 9092,
      lkc: "lkc-dev",
    },
    {
      name: "SASL_SSL",
      protocol: "sasl_ssl",
      host: "127.0.0.1",
      port: 9192,
      advertisedHost: "localhost",
      advertisedPort: 9192,
      certificateFile: "server.pem",
      keyFile: "server.key",
    },
  ],
  cellSecretFile: "cell.secret",
  items: { kind: "socket", path: "store.sock" },
  objects: { kind: "s3", endpoint: "http://127.0.0.1:4566", region: "us-east-1", bucket: "balafon" },
  recoverWithoutMajority: true,
};

/** The configuration as it comes out of a file, with some fields changed. */
const fromFile = (changes: Record<string, unknown> = {}): unknown =>
  JSON.parse(JSON.stringify({ ...config, ...changes }));

test("a whole configuration is read as it was written", () => {
  expect(readBrokerConfig(fromFile())).toEqual({ kind: "valid", config });
});

test("the other kinds of stores are read", () => {
  const items = { kind: "dynamodb", region: "eu-west-1", table: "balafon-metadata" };
  const objects = { kind: "directory", path: "objects" };
  expect(readBrokerConfig(fromFile({ items, objects }))).toMatchObject({ kind: "valid", config: { items, objects } });
});

test("every problem is told at once, each with its field", () => {
  const listeners = [
    { ...config.listeners[0], host: "0.0.0.0", port: 70_000 },
    { ...config.listeners[1], keyFile: 7 },
  ];
  const result = readBrokerConfig(
    fromFile({ brokerId: -2, zone: undefined, extra: 1, listeners, items: { kind: "etcd" } }),
  );
  expect(result.kind === "invalid" ? result.problems : []).toEqual([
    "brokerId: must be a whole number from -1 to 2147483647",
    "zone: must be a text",
    "listeners[0].port: must be a whole number from 0 to 65535",
    "listeners[0].host: a plaintext listener must be on loopback",
    "listeners[1].keyFile: must be a text",
    "items.kind: must be one of socket, dynamodb",
    "items.path: must be a text",
    "extra: is not known here",
  ]);
});

test.each([null, 7, "text", [], [config]])("%j is no configuration", (json) => {
  expect(readBrokerConfig(json)).toMatchObject({ kind: "invalid" });
});

test("listeners must have names of their own, and there must be one", () => {
  const [plaintext] = config.listeners;
  expect(readBrokerConfig(fromFile({ listeners: [plaintext, plaintext] }))).toMatchObject({
    problems: ["listeners: names must be unique"],
  });
  expect(readBrokerConfig(fromFile({ listeners: [] }))).toMatchObject({
    problems: ["listeners: at least one is needed"],
  });
});
