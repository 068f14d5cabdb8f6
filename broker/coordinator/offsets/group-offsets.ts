import type { TopicId } from "../../../shared/metadata/records/record.ts";
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

  get count(): number {
    return this.#count;
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
    partitions.set(partition, value);
  }

  delete(topicId: TopicId, partition: number): void {
    const partitions = this.#topics.get(topicId);
    if (partitions?.delete(partition) !== true) return;
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
}

const none: ReadonlyMap<number, OffsetValue> = new Map();
