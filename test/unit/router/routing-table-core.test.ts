import { describe, expect, test } from "vitest";
import { leadsNothing, type RoutingView, route } from "../../../router/routing-table-core.ts";
import { ImageState } from "../../../shared/metadata/image/image-state.ts";
import { replay } from "../../../shared/metadata/image/replay.ts";
import type { BrokerRegistered, MetadataRecord } from "../../../shared/metadata/records/record.ts";
import { partitionState } from "../shared/metadata/records/partition-state.ts";

const rules = { domain: "eu.example", zone: "az1", brokerListener: "ROUTED" };

function broker(brokerId: number, zone: string, listener = "ROUTED"): BrokerRegistered {
  return {
    type: "broker-registered",
    brokerId,
    storageId: String(brokerId).repeat(32),
    incarnationId: "0".repeat(32),
    zone,
    peer: { host: "10.0.0.1", port: 1 },
    listeners: { [listener]: { host: `10.0.0.${brokerId}`, port: 9_094 } },
    featureLevelMax: 1,
    suspect: false,
  };
}

const cluster = (lkc: string): MetadataRecord => ({ type: "logical-cluster-upserted", lkc, name: lkc, createdMs: 0 });

function cell(name: string, ...records: readonly MetadataRecord[]): ImageState {
  const image = ImageState.empty(name);
  records.forEach((record, index) => replay(image, index + 1, [record]));
  return image;
}

const cellA = cell(
  "a",
  broker(1, "az1"),
  broker(2, "az2"),
  broker(3, "az3"),
  cluster("lkc-aaa"),
  cluster("lkc-internal"),
);
const cellB = cell("b", broker(1, "az1"), broker(2, "az1"), broker(9, "az2", "PLAINTEXT"), cluster("lkc-bbb"));

function view(changes: Partial<RoutingView> = {}): RoutingView {
  return { images: [cellA, cellB], isLive: () => true, spread: 0, ...changes };
}

/** `cell/broker` in the order in which they are tried, or how else it ends. */
function routed(name: string, changes: Partial<RoutingView> = {}): string {
  const found = route(name, rules, view(changes));
  if (found.kind !== "brokers") return found.kind;
  return found.candidates.map((each) => `${each.cell}/${each.brokerId}`).join(" ");
}

describe("the name of a cluster", () => {
  test("leads to its own cell, brokers of the router's zone first", () => {
    expect(routed("lkc-aaa.eu.example")).toBe("a/1 a/2 a/3");
    expect(routed("lkc-bbb.eu.example")).toBe("b/1 b/2");
  });

  test("spreads over those that are equally near", () => {
    expect(routed("lkc-bbb.eu.example", { spread: 0.6 })).toBe("b/2 b/1");
    expect(routed("lkc-aaa.eu.example", { spread: 0.99 })).toBe("a/1 a/3 a/2");
  });

  test("leads to live brokers only, in other zones when need be", () => {
    expect(routed("lkc-aaa.eu.example", { isLive: ({ brokerId }) => brokerId !== 1 })).toBe("a/2 a/3");
    expect(routed("lkc-aaa.eu.example", { isLive: () => false })).toBe("unavailable");
  });

  test("tells where to connect", () => {
    expect(route("lkc-aaa.eu.example", rules, view())).toMatchObject({
      lkc: "lkc-aaa",
      candidates: [{ host: "10.0.0.1", port: 9_094, zone: "az1" }, {}, {}],
    });
  });
});

describe("the name of a broker", () => {
  test("leads to that broker alone", () => {
    expect(routed("b2-lkc-aaa.az2.eu.example")).toBe("a/2");
    expect(routed("b2-lkc-bbb.az1.eu.example")).toBe("b/2");
  });

  test("is unavailable, not unknown, while the broker is down", () => {
    expect(routed("b2-lkc-aaa.az2.eu.example", { isLive: () => false })).toBe("unavailable");
  });

  test.each([
    ["another zone than the broker's", "b2-lkc-aaa.az1.eu.example"],
    ["a broker of another cell than the cluster's", "b3-lkc-bbb.az3.eu.example"],
    ["a broker that routers cannot reach", "b9-lkc-bbb.az2.eu.example"],
  ])("%s: unknown", (_what, name) => expect(routed(name)).toBe("unknown"));
});

test.each([
  "lkc-ccc.eu.example",
  "lkc-internal.eu.example",
  "b1-lkc-internal.az1.eu.example",
  "eu.example",
  "example.com",
  "",
])("%j is unknown", (name) => expect(routed(name)).toBe("unknown"));

test("a cluster that is made, closed, opened again, deleted or served by a new broker is seen so at once", () => {
  const image = cell("c", broker(1, "az1"));
  const look = () => routed("lkc-new.eu.example", { images: [image] });
  expect(look()).toBe("unknown");
  replay(image, 2, [cluster("lkc-new")]);
  expect(look()).toBe("c/1");
  replay(image, 3, [broker(2, "az1")]);
  expect(look()).toBe("c/1 c/2");
  const closed = { ...cluster("lkc-new"), closedMs: 7 } as MetadataRecord;
  replay(image, 4, [closed]);
  expect(look()).toBe("unknown");
  replay(image, 5, [cluster("lkc-new")]);
  expect(look()).toBe("c/1 c/2");
  replay(image, 6, [{ type: "logical-cluster-deleted", lkc: "lkc-new" }]);
  expect(look()).toBe("unknown");
});

test("a broker leads nothing when no partition names it", () => {
  const topicId = "a".repeat(32);
  const image = cell("a", broker(1, "az1"), broker(2, "az2"), cluster("lkc-aaa"), {
    type: "topic-upserted",
    topicId,
    lkc: "lkc-aaa",
    name: "t",
    createdMs: 0,
    configs: {},
  });
  const partition = partitionState({ partitionEpoch: 0, voters: [1, 2], leader: 2 });
  replay(image, 5, [{ type: "partitions-upserted", topicId, partitions: [partition] }]);
  expect([leadsNothing(image, 1), leadsNothing(image, 2)]).toEqual([true, false]);
});
