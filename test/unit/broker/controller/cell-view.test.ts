import { describe, expect, test } from "vitest";
import { CellView } from "../../../../broker/controller/cell-view.ts";
import { isolatedLeaderMs } from "../../../../broker/controller/limits.ts";
import { partitionState } from "../../shared/metadata/records/partition-state.ts";

/** Broker 1 looks at a cell; `hears` says whom each of the living hears, itself left out. */
function viewOf(hears: Readonly<Record<number, readonly number[]>>, draining: readonly number[] = []) {
  const cell = { hears };
  const alive = () => [1, ...(cell.hears[1] ?? [])].sort((a, b) => a - b);
  const links = {
    alive,
    isAlive: (broker: number) => alive().includes(broker),
    isDraining: (broker: number) => draining.includes(broker),
    link: (broker: number) => ({ peerHears: new Set(cell.hears[broker] ?? []) }),
  };
  const view = new CellView(1, links as never);
  return { view, cell };
}

const whole = { 1: [2, 3], 2: [1, 3], 3: [1, 2] };
const record = partitionState();

describe("CellView", () => {
  test("a leader is connected while it and a majority of the voters hear one another", () => {
    const { view } = viewOf(whole);
    view.observe(0);
    expect([1, 2, 3].map((broker) => view.isConnected(broker, record))).toEqual([true, true, true]);
  });

  test("a pair that does not hear each other, be it in one direction, counts as broken after a while", () => {
    const { view, cell } = viewOf(whole);
    cell.hears = { 1: [2, 3], 2: [1, 3], 3: [1] };
    view.observe(0);
    view.observe(isolatedLeaderMs - 1);
    expect(view.isConnected(2, record)).toBe(true);
    view.observe(isolatedLeaderMs);
    // Broker 2 still has broker 1.
    expect(view.isConnected(2, record)).toBe(true);
    expect(view.isConnected(2, { ...record, voters: [2, 3] })).toBe(false);
    cell.hears = whole;
    view.observe(isolatedLeaderMs + 1);
    expect(view.isConnected(2, { ...record, voters: [2, 3] })).toBe(true);
  });

  test("a pair that broke, healed and broke again is given its time anew", () => {
    const { view, cell } = viewOf(whole);
    const broken = { 1: [2, 3], 2: [1], 3: [1] };
    cell.hears = broken;
    view.observe(0);
    cell.hears = whole;
    view.observe(1_000);
    cell.hears = broken;
    view.observe(1_100);
    view.observe(1_100 + isolatedLeaderMs - 1);
    expect(view.isConnected(2, { ...record, voters: [2, 3] })).toBe(true);
  });

  test("dead voters count for nobody, and a joint change asks for both sets", () => {
    const { view } = viewOf({ 1: [2], 2: [1] });
    view.observe(0);
    expect(view.isConnected(2, record)).toBe(true);
    expect(view.isConnected(2, { ...record, outgoing: [2, 3, 4] })).toBe(false);
  });

  test("a broker that stops, or that most of the living do not hear, is not to lead", () => {
    const { view, cell } = viewOf(whole, [3]);
    view.observe(0);
    expect([view.isDraining(2), view.isDraining(3)]).toEqual([false, true]);
    cell.hears = { 1: [2, 3], 2: [], 3: [1] };
    view.observe(0);
    view.observe(isolatedLeaderMs);
    expect(view.isDraining(2)).toBe(true);
  });

  test("a broker is heard by others when one that is alive, neither it nor this one, hears it", () => {
    const { view } = viewOf({ 1: [2], 2: [1, 3] });
    expect(view.isHeardByOthers(3)).toBe(true);
    expect(view.isHeardByOthers(2)).toBe(false);
  });
});
