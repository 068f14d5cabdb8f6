import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assignReplicas } from "../../../../../shared/metadata/commands/assign-replicas.ts";

function brokersIn(zones: readonly number[]) {
  let id = 0;
  return zones.flatMap((count, zone) => Array.from({ length: count }, () => ({ id: ++id, zone: `zone-${zone}` })));
}

function countBy<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** Largest difference between the shares of any two brokers. */
function spread(ids: readonly number[], brokers: readonly { readonly id: number }[]): number {
  const counts = countBy(ids);
  const shares = brokers.map(({ id }) => counts.get(id) ?? 0);
  return Math.max(...shares) - Math.min(...shares);
}

describe("replica assignment", () => {
  test("no broker twice, as many zones as there are replicas, whatever the cell looks like", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(10_000),
        (zones, wanted, partitions, startIndex) => {
          const brokers = brokersIn(zones);
          const replicationFactor = Math.min(wanted, brokers.length);
          const assigned = assignReplicas({ brokers, partitions, replicationFactor, startIndex });
          expect(assigned).toHaveLength(partitions);
          const zoneOf = new Map(brokers.map(({ id, zone }) => [id, zone]));
          for (const replicas of assigned) {
            expect(new Set(replicas).size).toBe(replicationFactor);
            const used = new Set(replicas.map((id) => zoneOf.get(id)));
            expect(used.size).toBe(Math.min(replicationFactor, zones.length));
          }
        },
      ),
    );
  });

  test("in even cells replicas and leaders are spread evenly, exactly after each full lap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(1_000),
        (perZone, factor, start) => {
          const brokers = brokersIn([perZone, perZone, perZone]);
          const laps = perZone * 3;
          const assigned = assignReplicas({
            brokers,
            partitions: laps * laps,
            replicationFactor: factor,
            startIndex: start * laps,
          });
          expect(spread(assigned.flat(), brokers)).toBe(0);
          expect(
            spread(
              assigned.map(([leader = 0]) => leader),
              brokers,
            ),
          ).toBe(0);
          const part = assigned.slice(0, laps + 1);
          expect(
            spread(
              part.map(([leader = 0]) => leader),
              brokers,
            ),
          ).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("topics of one partition made one after another go round the brokers", () => {
    const brokers = brokersIn([2, 2, 2]);
    const leaders = Array.from({ length: 12 }, (_, startIndex) => {
      const [replicas = []] = assignReplicas({ brokers, partitions: 1, replicationFactor: 3, startIndex });
      return replicas[0] ?? 0;
    });
    expect(spread(leaders, brokers)).toBe(0);
  });

  test("the followers of one broker's partitions are spread over all brokers of the other zones", () => {
    const brokers = brokersIn([4, 4, 4]);
    const assigned = assignReplicas({ brokers, partitions: 480, replicationFactor: 3, startIndex: 0 });
    for (const { id, zone } of brokers) {
      const followers = assigned.filter(([leader]) => leader === id).flatMap(([, ...others]) => others);
      const others = brokers.filter((other) => other.zone !== zone);
      expect(new Set(followers).size).toBe(others.length);
      expect(spread(followers, others)).toBeLessThanOrEqual(2);
    }
  });

  test("too few brokers are the caller's bug", () => {
    expect(() =>
      assignReplicas({ brokers: brokersIn([1, 1]), partitions: 1, replicationFactor: 3, startIndex: 0 }),
    ).toThrow("do not fit");
  });
});
