import { expect, test } from "vitest";
import { routerLimits } from "../../../router/limits.ts";
import { type RouterConfig, readRouterConfig } from "../../../router/router-config.ts";

const config: RouterConfig = {
  domain: "eu.balafon.example",
  zone: "euw1-az1",
  listen: { host: "0.0.0.0", port: 9_092 },
  health: { host: "0.0.0.0", port: 8_080 },
  admin: { host: "127.0.0.1", port: 8_081 },
  proxyProtocolFrom: ["10.0.0.0/16"],
  brokerListener: "ROUTED",
  cells: [
    {
      cell: "cell-1",
      items: { kind: "dynamodb", region: "eu-west-1", table: "metadata" },
      objects: { kind: "s3", region: "eu-west-1", bucket: "segments" },
    },
  ],
  limits: routerLimits,
  drain: { listenMs: 20_000, deadlineMs: 300_000 },
};

const fromFile = (changes: Record<string, unknown> = {}): unknown =>
  JSON.parse(JSON.stringify({ ...config, limits: undefined, ...changes }));

test("a whole configuration is read as it was written, limits as they are when none are given", () => {
  expect(readRouterConfig(fromFile())).toEqual({ kind: "valid", config });
});

test("single limits can be set", () => {
  expect(readRouterConfig(fromFile({ limits: { connectionsPerAddressMax: 7 } }))).toMatchObject({
    config: { limits: { ...routerLimits, connectionsPerAddressMax: 7 } },
  });
});

test("every problem is told at once, each with its field", () => {
  const socketCell = { ...config.cells[0], items: { kind: "socket", path: "s" } };
  const result = readRouterConfig(
    fromFile({
      domain: "Not A Name",
      zone: "-a",
      proxyProtocolFrom: ["10.0.0.0/33"],
      cells: [socketCell, config.cells[0]],
      limits: { strangersMax: 9_000_000, burst: 3 },
      drain: { listenMs: 2, deadlineMs: 1 },
      extra: 1,
    }),
  );
  expect(result.kind === "invalid" ? result.problems : []).toEqual([
    "domain: must be a DNS name in lower case",
    "proxyProtocolFrom: 10.0.0.0/33 is no network in CIDR notation, such as 10.0.0.0/16",
    "cells[0].cellSecretFile: an embedded store asks for it",
    "limits.burst: is not known here",
    "limits.strangersMax: must not exceed connectionsMax",
    "drain.deadlineMs: must not come before listenMs",
    "extra: is not known here",
    "zone: must be a DNS label",
    "cells: names must be unique",
  ]);
});

test("a router without a cell is none", () => {
  expect(readRouterConfig(fromFile({ cells: [] }))).toMatchObject({ kind: "invalid" });
});
