import { describe, expect, test } from "vitest";
import { GroupOffsets } from "../../../../../broker/coordinator/offsets/group-offsets.ts";
import { expiredOffsets } from "../../../../../broker/coordinator/offsets/offset-expiry.ts";

const retentionMs = 1_000;

function committed(commitMs: number, expireMs = -1): GroupOffsets {
  const offsets = new GroupOffsets();
  offsets.set("topic", 0, { offset: 5, leaderEpoch: -1, commitMs, expireMs, metadata: "" });
  return offsets;
}

function isExpired(group: Partial<Parameters<typeof expiredOffsets>[0]>, wallMs: number): boolean {
  const whole = { offsets: committed(0), isEmpty: true, emptySinceMs: undefined, subscribed: undefined, ...group };
  return expiredOffsets(whole, wallMs, retentionMs).length === 1;
}

describe("offsets go", () => {
  test("of an empty group: so long after it became empty", () => {
    expect(isExpired({ emptySinceMs: 500 }, 1_499)).toBe(false);
    expect(isExpired({ emptySinceMs: 500 }, 1_500)).toBe(true);
  });

  test("of a simple consumer, or when committed after the last member left: so long after the commit", () => {
    expect(isExpired({ offsets: committed(700) }, 1_699)).toBe(false);
    expect(isExpired({ offsets: committed(700) }, 1_700)).toBe(true);
    expect(isExpired({ offsets: committed(700), emptySinceMs: 500 }, 1_600)).toBe(false);
  });

  test("of a group with members: only for topics that none of them reads", () => {
    expect(isExpired({ isEmpty: false, subscribed: new Set(["topic"]) }, 9_000)).toBe(false);
    expect(isExpired({ isEmpty: false, subscribed: undefined }, 9_000)).toBe(false);
    expect(isExpired({ isEmpty: false, subscribed: new Set(["another"]) }, 9_000)).toBe(true);
    expect(isExpired({ isEmpty: false, subscribed: new Set(), offsets: committed(8_500) }, 9_000)).toBe(false);
  });

  test("with a retention of their own: when that is over, not before, and not while they are read", () => {
    const offsets = committed(0, 5_000);
    expect(isExpired({ offsets }, 4_999)).toBe(false);
    expect(isExpired({ offsets }, 5_000)).toBe(true);
    expect(isExpired({ offsets, isEmpty: false, subscribed: new Set() }, 5_000)).toBe(true);
    expect(isExpired({ offsets, isEmpty: false, subscribed: new Set(["topic"]) }, 9_000)).toBe(false);
    expect(isExpired({ offsets, isEmpty: false, subscribed: undefined }, 9_000)).toBe(false);
  });
});
