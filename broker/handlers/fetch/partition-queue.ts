import type { FetchPartition, Marker } from "./fetch-partition.ts";

/**
 * Partitions that a fetch should look at, in turn: those asked for anew, changed since they were looked at, or not yet
 * read to their end. All others have nothing to tell, so a wake or an incremental fetch costs only what changed, however
 * many partitions the session has.
 */
export class PartitionQueue implements Marker {
  #queue: FetchPartition[] = [];
  /** Called at each mark while a request waits; cheap. */
  onMark: (() => void) | undefined;

  /** At most so many wait. */
  get length(): number {
    return this.#queue.length;
  }

  mark(partition: FetchPartition): void {
    if (!partition.queued) {
      partition.queued = true;
      this.#queue.push(partition);
    }
    this.onMark?.();
  }

  /** All that wait, oldest first; the queue is empty afterwards. */
  take(): readonly FetchPartition[] {
    const taken = this.#queue.filter(({ queued }) => queued);
    this.#queue = [];
    for (const partition of taken) partition.queued = false;
    return taken;
  }

  /**
   * Puts partitions back for the next request: what was passed over comes first, what was just served comes last, so
   * that everyone gets a turn however small the responses are.
   */
  putBack(passedOver: readonly FetchPartition[], served: readonly FetchPartition[]): void {
    const first = passedOver.filter((partition) => !partition.queued);
    for (const partition of first) partition.queued = true;
    this.#queue = [...first, ...this.#queue];
    for (const partition of served) {
      if (partition.queued) continue;
      partition.queued = true;
      this.#queue.push(partition);
    }
  }

  /** A partition that the client forgot, and that will never be marked again. */
  remove(partition: FetchPartition): void {
    // It stays in the list until that is taken: searching it for each of thousands forgotten would cost their square.
    partition.queued = false;
  }
}
