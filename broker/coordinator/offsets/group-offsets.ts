import type { TopicId } from "../../../shared/metadata/records/record.ts";
import { bytesPerCharacter } from "../group/limits.ts";
import { offsetHeapBytes } from "../limits.ts";
import type { OffsetValue } from "../records/offset-value.ts";

export interface CommittedOffset {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly value: OffsetValue;
}

/** What a group has committed, by topic and partition. */
export class GroupOffsets {
  readonly #topics = new Map<TopicId, Map<number, OffsetValue>>();
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** What they take of the broker's memory, estimated upwards. */
  get bytes(): number {
    return this.#bytes;
  }

  /** By how much `bytes` grows with these; negative when they are smaller than what they replace. */
  growth(offsets: readonly CommittedOffset[]): number {
    let bytes = 0;
    for (const { topicId, partition, value } of offsets) bytes += valueBytes(value) - this.#bytesAt(topicId, partition);
    return bytes;
  }

  get(topicId: TopicId, partition: number): OffsetValue | undefined {
    return this.#topics.get(topicId)?.get(partition);
  }

  set(topicId: TopicId, partition: number, value: OffsetValue): void {
    let partitions = this.#topics.get(topicId);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topicId, partitions);
    }
    if (!partitions.has(partition)) this.#count += 1;
    this.#bytes += valueBytes(value) - this.#bytesAt(topicId, partition);
    partitions.set(partition, value);
  }

  delete(topicId: TopicId, partition: number): void {
    const partitions = this.#topics.get(topicId);
    const bytes = this.#bytesAt(topicId, partition);
    if (partitions?.delete(partition) !== true) return;
    this.#bytes -= bytes;
    this.#count -= 1;
    if (partitions.size === 0) this.#topics.delete(topicId);
  }

  topicIds(): Iterable<TopicId> {
    return this.#topics.keys();
  }

  ofTopic(topicId: TopicId): ReadonlyMap<number, OffsetValue> {
    return this.#topics.get(topicId) ?? none;
  }

  *all(): Generator<CommittedOffset> {
    for (const [topicId, partitions] of this.#topics)
      for (const [partition, value] of partitions) yield { topicId, partition, value };
  }

  #bytesAt(topicId: TopicId, partition: number): number {
    const value = this.get(topicId, partition);
    return value === undefined ? 0 : valueBytes(value);
  }
}

function valueBytes({ metadata }: OffsetValue): number {
  return offsetHeapBytes + metadata.length * bytesPerCharacter;
}

const none: ReadonlyMap<number, OffsetValue> = new Map();
