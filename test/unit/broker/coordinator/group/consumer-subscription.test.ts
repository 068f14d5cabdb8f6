import { describe, expect, test } from "vitest";
import { subscribeAlike, subscribedTopicsOf } from "../../../../../broker/coordinator/group/consumer-subscription.ts";
import { subscriptionTopicsMax } from "../../../../../broker/coordinator/group/limits.ts";
import { subscription } from "./group-requests.ts";

/** What the Java client 4.1 sends for two topics: version 3 with user data, owned partitions, generation and rack. */
const version3 = Buffer.from(
  "0003 00000002 0001 62 0001 61 ffffffff 00000000 00000007 0001 72".replaceAll(" ", ""),
  "hex",
);

describe("what consumers subscribe to", () => {
  test("is read of every version: later ones only append", () => {
    expect(subscribedTopicsOf(subscription(["a", "b"], "anything"))).toEqual(["a", "b"]);
    expect(subscribedTopicsOf(version3)).toEqual(["b", "a"]);
    expect(subscribedTopicsOf(Buffer.from("000000000000", "hex"))).toEqual([]);
  });

  test.each([
    ["nothing", ""],
    ["a version alone", "0001"],
    ["a negative version", "ffff00000000"],
    ["a negative number of topics", "0001ffffffff"],
    ["more topics than bytes", "00017fffffff"],
    ["a topic that ends too early", "000100000001000561"],
    ["a topic without a name", "000100000001ffff"],
  ])("is unknown when the metadata is %s", (_what, hex) => {
    expect(subscribedTopicsOf(Buffer.from(hex, "hex"))).toBeUndefined();
  });

  test("is unknown when it is more than anybody has, and not looked at", () => {
    const topics = Array.from({ length: subscriptionTopicsMax }, (_, index) => `t${index}`);
    expect(subscribedTopicsOf(subscription(topics))).toEqual(topics);
    expect(subscribedTopicsOf(subscription([...topics, "one more"]))).toBeUndefined();
  });

  test("two members subscribe alike when their topics are the same, whatever else they say", () => {
    expect(subscribeAlike(subscription(["a", "b"], "owned"), subscription(["b", "a"]))).toBe(true);
    expect(subscribeAlike(subscription(["a"]), subscription(["a", "b"]))).toBe(false);
    expect(subscribeAlike(subscription(["a"]), Buffer.from("text"))).toBe(true);
  });
});
