import type { Replica } from "../../../broker/partition/replica.ts";
import { decodeBatches, type ReadRecord } from "../workload/test-records.ts";
import { isCompactedTopic } from "../workload/topics.ts";
import type { NewestPartition } from "./cell-views.ts";
import type { SimulatedCell } from "./simulated-cell.ts";

const readBytes = 64 * 1024;

/**
 * What every live replica of these partitions has below its own high watermark must be the same, with every offset in a
 * batch. In a compacted one records may be missing here and there, but not the newest of a key.
 */
export async function compareReplicas(
  cell: SimulatedCell,
  partitions: readonly NewestPartition[],
  violate: (message: string) => void,
): Promise<void> {
  for (const { topicId, topicName, partition, record } of partitions) {
    const comparison = new Comparison(partition, isCompactedTopic(topicName), violate);
    for (const { broker } of cell.serving) {
      const replica = broker.replicas.replica(topicId, record.partition);
      if (replica === undefined || record.lost.includes(broker.id)) continue;
      await comparison.read(replica, broker.id);
    }
    if (isCompactedTopic(topicName)) comparison.judgeKeys();
  }
}

interface ReadReplica {
  readonly broker: number;
  readonly end: number;
  readonly records: readonly ReadRecord[];
}

class Comparison {
  readonly #partition: string;
  readonly #isCompacted: boolean;
  readonly #violate: (message: string) => void;
  readonly #known = new Map<number, { readonly id: string; readonly by: number }>();
  readonly #replicas: ReadReplica[] = [];

  constructor(partition: string, isCompacted: boolean, violate: (message: string) => void) {
    this.#partition = partition;
    this.#isCompacted = isCompacted;
    this.#violate = violate;
  }

  async read({ log, leader, highWatermark }: Replica, broker: number): Promise<void> {
    const end = Math.min(leader?.highWatermark ?? highWatermark, log.endOffset);
    const records: ReadRecord[] = [];
    for (let offset = log.startOffset; offset < end; ) {
      const chunks = await log.readChunks(offset, readBytes);
      const read = decodeBatches(chunks.map(({ bytes }) => bytes));
      if (read.baseOffset < 0 || read.baseOffset > offset) {
        this.#violate(`broker ${broker} cannot read ${this.#partition}@${offset} below its high watermark ${end}`);
        return;
      }
      const found = read.records.filter((one) => one.offset >= offset && one.offset < end);
      if (!this.#isCompacted && found[0]?.offset !== offset) {
        this.#violate(`broker ${broker} has no record at ${this.#partition}@${offset}`);
        return;
      }
      for (const one of found) this.#compare(one, broker);
      records.push(...found);
      offset = read.endOffset;
    }
    this.#replicas.push({ broker, end, records });
  }

  #compare({ offset, id }: ReadRecord, broker: number): void {
    const other = this.#known.get(offset);
    if (other === undefined) this.#known.set(offset, { id, by: broker });
    else if (other.id !== id) {
      this.#violate(`${this.#partition}@${offset} is ${other.id} on ${other.by} and ${id} on ${broker}`);
    }
  }

  /** The newest record that any replica has of a key is on all that reach so far; or it is a tombstone, and nothing is. */
  judgeKeys(): void {
    for (const { broker, end, records } of this.#replicas) {
      const own = newestOf(records, end);
      const all = newestOf(
        this.#replicas.flatMap((replica) => replica.records),
        end,
      );
      for (const [key, newest] of all) {
        const found = own.get(key);
        if (found?.offset === newest.offset || (found === undefined && newest.isTombstone)) continue;
        const has = found === undefined ? "nothing" : `${found.id}@${found.offset}`;
        this.#violate(`broker ${broker} has ${has} of ${key} in ${this.#partition}, not ${newest.id}@${newest.offset}`);
      }
    }
  }
}

function newestOf(records: readonly ReadRecord[], end: number): ReadonlyMap<string, ReadRecord> {
  const newest = new Map<string, ReadRecord>();
  for (const record of records) {
    const key = record.key ?? "";
    if (record.offset < end && record.offset > (newest.get(key)?.offset ?? -1)) newest.set(key, record);
  }
  return newest;
}
