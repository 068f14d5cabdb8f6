import type { HighWatermarkViews } from "../checkers/high-watermark-views.ts";
import type { RecordLedger } from "../checkers/record-ledger.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { partitionKey, type TopicPartition } from "./kafka-messages.ts";
import { PartitionConsumer } from "./partition-consumer.ts";

/**
 * Reads partitions from the log start to the high watermark once all is quiet, and hands each whole log to the ledger.
 * The high watermark counts once all that was acknowledged lies below it.
 */
export class FinalReader {
  readonly #waiting = new Set<string>();

  constructor(options: {
    readonly client: KafkaClient;
    readonly ledger: RecordLedger;
    readonly highWatermarks: HighWatermarkViews;
    readonly partitions: readonly (TopicPartition & { readonly isCompacted: boolean })[];
    readonly violate: (message: string) => void;
  }) {
    for (const at of options.partitions) {
      const partition = partitionKey(at);
      this.#waiting.add(partition);
      const consumer: PartitionConsumer = new PartitionConsumer({
        ...options,
        at,
        isCompacted: at.isCompacted,
        onProgress: ({ position, highWatermark }) => {
          if (position < highWatermark) return;
          consumer.stop();
          this.#waiting.delete(partition);
          options.ledger.judgeFinalLog(partition, consumer.records, at.isCompacted);
        },
      });
      consumer.start();
    }
  }

  /** Partitions not read to the end yet. */
  get waiting(): readonly string[] {
    return [...this.#waiting];
  }
}
