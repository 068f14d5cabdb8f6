import type { Uuid } from "../../../shared/kafka/codec/uuid.ts";
import type { FetchPartition as AskedPartition, FetchPartitionData } from "../../../shared/kafka/schema/fetch.ts";
import type { HostedPartition, Withdraw } from "../../partition/partition-contract.ts";

/** How the client names a topic: by name to v12, by id from v13; the other is empty or zero. */
export interface TopicKey {
  readonly topic: string;
  readonly topicId: Uuid;
}

/** What one look at a partition found. */
export interface PartitionAnswer {
  readonly data: FetchPartitionData;
  /** Bytes of its batches. */
  readonly bytes: number;
  /**
   * Of those, what counts for the client's minimum: nothing when compaction has left no record in them. Some clients do not
   * move on past such batches, and would ask again at once, for ever.
   */
  readonly wantedBytes: number;
  /** Ends the long poll: an error, or a diverging epoch. */
  readonly decisive: boolean;
}

/** Who is told that a partition should be looked at again. */
export interface Marker {
  mark(partition: FetchPartition): void;
}

/**
 * One partition of a fetch request, or of a session over many requests: what the client asked for, and what it was told
 * last. Owned by a `PartitionQueue`, which it tells of changes while it watches.
 */
export class FetchPartition {
  readonly key: TopicKey;
  /** What the client asked for last; a session's later requests replace it. */
  asked: AskedPartition;
  /** In the queue of partitions to look at. */
  queued = false;
  /** The request for which a read from a file is under way. */
  reader: object | undefined;
  /** The replica as the last look found it. */
  hosted: HostedPartition | undefined;
  /** What the request under way found. */
  answer: PartitionAnswer | undefined;
  /** Of the last response in a session that named the partition; -1 when none did. */
  toldHighWatermark = -1;
  toldLogStart = -1;
  readonly #marker: Marker;
  #watched: HostedPartition | undefined;
  #withdraw: Withdraw | undefined;

  constructor(key: TopicKey, asked: AskedPartition, marker: Marker) {
    this.key = key;
    this.asked = asked;
    this.#marker = marker;
  }

  get index(): number {
    return this.asked.partition;
  }

  /** Marks itself when its replica changes, until unwatched; once for each replica, however often it is called. */
  watch(): void {
    if (this.#watched === this.hosted) return;
    this.unwatch();
    this.#watched = this.hosted;
    this.#withdraw = this.hosted?.watch(() => this.#marker.mark(this));
  }

  unwatch(): void {
    this.#withdraw?.();
    this.#withdraw = undefined;
    this.#watched = undefined;
  }

  /** An incremental response leaves out what the client knows already (KIP-227). */
  get isNews(): boolean {
    if (this.answer === undefined) return false;
    const { data, bytes, decisive } = this.answer;
    return (
      bytes > 0 ||
      decisive ||
      data.highWatermark !== this.toldHighWatermark ||
      (data.logStartOffset ?? -1) !== this.toldLogStart
    );
  }

  /** Takes note of what the response says; after an error the client is told everything anew. */
  told(): void {
    if (this.answer === undefined) return;
    const { data } = this.answer;
    this.toldHighWatermark = data.errorCode === 0 ? data.highWatermark : -1;
    this.toldLogStart = data.errorCode === 0 ? (data.logStartOffset ?? -1) : -1;
  }
}
