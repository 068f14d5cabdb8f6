import fc from "fast-check";
import { expect, test } from "vitest";
import type { FleetCell } from "../../../../functions/provisioning/fleet.ts";
import { fullLoad, loadOf, place } from "../../../../functions/provisioning/placement.ts";
import type { CellLoadItem } from "../../../../shared/control/items/cell-load-item.ts";
import { loadFreshMs } from "../../../../shared/control/limits.ts";
import { seededRandom } from "../../shared/metadata/log/seeded-random.ts";

const nowMs = 1_000_000;
const cellOf = (cell: string, state: FleetCell["state"] = "open"): FleetCell => ({ cell, state, kafkaBootstrap: "x" });
const load = (cell: string, share: number, atMs = nowMs): CellLoadItem => ({
  cell,
  atMs,
  meanBrokerLoad: share,
  replicaUtilization: 0,
  bandwidthUtilization: 0,
});
const loads = (...items: readonly CellLoadItem[]) => new Map(items.map((item) => [item.cell, item]));

/** How often each cell is chosen. */
function choices(cells: readonly FleetCell[], known: ReadonlyMap<string, CellLoadItem>, times = 2_000) {
  const random = seededRandom(1);
  const counts = new Map<string, number>();
  for (let time = 0; time < times; time++) {
    const placed = place({ cells, loads: known, nowMs }, () => random.fraction());
    const name = placed.kind === "placed" ? placed.cell : placed.kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

test("the load of a cell is the worst of its three", () => {
  const item = { ...load("a", 0.1), replicaUtilization: 0.4, bandwidthUtilization: 0.3 };
  expect(loadOf(item)).toBe(0.4);
});

test("a full or a draining cell is never chosen, whatever is known of the others", () => {
  const cell = fc.record({
    state: fc.constantFrom("open", "draining"),
    load: fc.option(fc.record({ share: fc.double({ min: 0, max: 2, noNaN: true }), ageMs: fc.nat(200_000) })),
  });
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 6 }), fc.integer(), (drawn, seed) => {
      const cells = drawn.map(({ state }, index) => cellOf(`c${index}`, state as FleetCell["state"]));
      const known = loads(
        ...drawn.flatMap((one, index) =>
          one.load === null ? [] : [load(`c${index}`, one.load.share, nowMs - one.load.ageMs)],
        ),
      );
      const random = seededRandom(seed);
      const placed = place({ cells, loads: known, nowMs }, () => random.fraction());
      const possible = cells.filter(({ cell: name, state }) => {
        const item = known.get(name);
        return state === "open" && (item === undefined || loadOf(item) < fullLoad);
      });
      if (placed.kind === "no-room") expect(possible).toEqual([]);
      else expect(possible.map(({ cell: name }) => name)).toContain(placed.cell);
    }),
  );
});

test("the emptier one of two is chosen in three of four cases, equal ones evenly", () => {
  const cells = [cellOf("a"), cellOf("b")];
  const uneven = choices(cells, loads(load("a", 0.1), load("b", 0.5)));
  expect((uneven.get("a") ?? 0) / 2_000).toBeCloseTo(0.75, 1);
  const even = choices(cells, loads(load("a", 0.1), load("b", 0.1)));
  expect((even.get("a") ?? 0) / 2_000).toBeCloseTo(0.5, 1);
});

test("a cell that has not written for a while is chosen only when there is no other", () => {
  const cells = [cellOf("a"), cellOf("b")];
  const stale = load("a", 0, nowMs - loadFreshMs);
  expect(choices(cells, loads(stale, load("b", 0.5)))).toEqual(new Map([["b", 2_000]]));
  expect(choices(cells, loads(stale)).size).toBe(2);
});
