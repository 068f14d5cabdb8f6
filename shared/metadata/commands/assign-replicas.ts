/**
 * Which brokers hold the replicas of new partitions: evenly spread over zones, then over the brokers of each zone, and
 * with the first replicas (the first leaders) spread in the same way.
 *
 * Partition n (counted on from `startIndex`, so that topics made one after another go on where the last one stopped)
 * starts in zone n mod Z and takes one broker from each zone in turn. Within a zone the choice moves on by one each
 * time round the zones; later replicas are shifted against the first one by a growing amount, so that the replicas of a
 * broker's partitions are spread over many others.
 */
import type { BrokerId } from "../records/record.ts";

export interface AssignableBroker {
  readonly id: BrokerId;
  readonly zone: string;
}

export interface AssignReplicasOptions {
  /** At least `replicationFactor` of them. */
  readonly brokers: readonly AssignableBroker[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly startIndex: number;
}

/** The replicas of each partition; the first one should lead it. */
export function assignReplicas(options: AssignReplicasOptions): readonly (readonly BrokerId[])[] {
  const { brokers, partitions, replicationFactor, startIndex } = options;
  if (brokers.length < replicationFactor) {
    throw new Error(`${replicationFactor} replicas do not fit on ${brokers.length} brokers`);
  }
  const zones = brokersByZone(brokers);
  return Array.from({ length: partitions }, (_, index) => onePartition(zones, startIndex + index, replicationFactor));
}

function brokersByZone(brokers: readonly AssignableBroker[]): readonly (readonly BrokerId[])[] {
  const zones = new Map<string, BrokerId[]>();
  for (const { id, zone } of brokers.toSorted((a, b) => a.id - b.id)) {
    zones.set(zone, [...(zones.get(zone) ?? []), id]);
  }
  return [...zones].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, ids]) => ids);
}

function onePartition(
  zones: readonly (readonly BrokerId[])[],
  n: number,
  replicationFactor: number,
): readonly BrokerId[] {
  const replicas: BrokerId[] = [];
  const lap = Math.floor(n / zones.length);
  const longestZone = Math.max(...zones.map((ids) => ids.length));
  // Constant while each broker of the zones had its turn once, so that the shares stay even; the second term is for
  // even numbers of brokers, where twice the shift would leave out every other one.
  const shift = Math.floor(lap / longestZone);
  const slowShift = Math.floor(shift / longestZone);
  for (let turn = 0; replicas.length < replicationFactor; turn++) {
    const zone = zones[(n + turn) % zones.length] as readonly BrokerId[];
    const start = lap + turn * shift + Math.max(0, turn - 1) * slowShift;
    const free = zone.map((_, step) => zone[(start + step) % zone.length] as BrokerId);
    const chosen = free.find((id) => !replicas.includes(id));
    if (chosen !== undefined) {
      replicas.push(chosen);
    }
  }
  return replicas;
}
