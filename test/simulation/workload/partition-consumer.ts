import type { HighWatermarkViews } from "../checkers/high-watermark-views.ts";
import type { RecordLedger } from "../checkers/record-ledger.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { partitionKey, type Response, type TopicPartition } from "./kafka-messages.ts";
import { decodeBatches } from "./test-records.ts";

const retryBackoffMs = 100;
const fetchWaitMs = 300;
const fetchBytesMax = 16 * 1024;

export interface PartitionConsumerOptions {
  readonly client: KafkaClient;
  readonly ledger: RecordLedger;
  readonly highWatermarks: HighWatermarkViews;
  readonly at: TopicPartition;
  readonly violate: (message: string) => void;
  /** Records that newer ones have replaced may be missing. */
  readonly isCompacted: boolean;
  /** What was read last, and where the reader stands then; for a reader that goes through the log once. */
  readonly onProgress?: (progress: { readonly position: number; readonly highWatermark: number }) => void;
}

/**
 * Reads one partition from its start as the Java consumer does (KIP-320): it names the leader epoch that it believes in,
 * and when a newer one begins asks first whether the log up to its position is still the one it read.
 */
export class PartitionConsumer {
  readonly #options: PartitionConsumerOptions;
  readonly #name: string;
  readonly #partition: string;
  #position = 0;
  /** Epoch of the record before the position; -1: none was read. */
  #lastEpoch = -1;
  /** Leader epoch under which the position was found good. */
  #validEpoch = -1;
  #isStopped = false;
  /** Everything read, for a final reader. */
  readonly records: { readonly offset: number; readonly id: string }[] = [];

  constructor(options: PartitionConsumerOptions) {
    this.#options = options;
    this.#partition = partitionKey(options.at);
    this.#name = `reader ${options.client.process.machineId} of ${this.#partition}`;
  }

  start(): void {
    this.#next();
  }

  stop(): void {
    this.#isStopped = true;
  }

  get position(): number {
    return this.#position;
  }

  /** The log may have lost its end, with permission: go on where it ends now. */
  permitLoss(): void {
    this.#lastEpoch = -1;
    this.#position = Math.min(this.#position, this.#options.ledger.knownEnd(this.#partition));
  }

  #next(): void {
    if (this.#isStopped) return;
    const leader = this.#options.client.leaderOf(this.#options.at);
    if (leader === undefined || leader.leader < 0) return this.#refreshAndRetry();
    if (leader.leaderEpoch > this.#validEpoch && this.#lastEpoch >= 0) this.#validate(leader.leaderEpoch);
    else this.#fetch(leader.leaderEpoch);
  }

  #refreshAndRetry(): void {
    const { client } = this.#options;
    client.refresh(() =>
      client.process.timers.after(client.process.random.between(0, retryBackoffMs), () => this.#next()),
    );
  }

  #validate(currentLeaderEpoch: number): void {
    const { at, client } = this.#options;
    const request = {
      kind: "offset-for-leader-epoch",
      ...at,
      currentLeaderEpoch,
      leaderEpoch: this.#lastEpoch,
    } as const;
    client.requestLeader(request, (response) => {
      if (response.kind !== "epoch-end") return this.#refreshAndRetry();
      if (response.endOffset < this.#position) {
        this.#truncated(
          `epoch ${this.#lastEpoch} ends at ${response.endOffset} for the leader of ${currentLeaderEpoch}`,
        );
        this.#position = response.endOffset;
      }
      this.#validEpoch = currentLeaderEpoch;
      this.#next();
    });
  }

  #truncated(message: string): void {
    const { ledger, violate } = this.#options;
    // Within what may be lost the ledger knows of nothing there.
    if (ledger.isForfeit(this.#partition) || ledger.knownEnd(this.#partition) < this.#position) return;
    violate(`${this.#name} stands at ${this.#position}, but ${message}`);
  }

  #fetch(currentLeaderEpoch: number): void {
    const { at, client } = this.#options;
    const request = {
      kind: "fetch",
      ...at,
      offset: this.#position,
      currentLeaderEpoch,
      maxBytes: fetchBytesMax,
      waitMs: fetchWaitMs,
    } as const;
    const deletedTo = this.#options.ledger.deletedTo(this.#partition);
    client.requestLeader(request, (response) => {
      if (this.#isStopped) return;
      // Moved meanwhile, by a loss: the answer is to a question of before.
      if (request.offset !== this.#position) return this.#next();
      if (response.kind === "fetched") {
        this.#validEpoch = Math.max(this.#validEpoch, currentLeaderEpoch);
        this.#fetched(response, currentLeaderEpoch, deletedTo);
        return this.#next();
      }
      if (response.kind === "error" && response.error === "OFFSET_OUT_OF_RANGE") this.#findPlace(currentLeaderEpoch);
      else this.#refreshAndRetry();
    });
  }

  #fetched(response: Response & { readonly kind: "fetched" }, epoch: number, deletedTo: number): void {
    const { ledger, highWatermarks, onProgress, violate, isCompacted } = this.#options;
    if (ledger.isOutdated(this.#partition, response.servedMs)) return;
    if (!ledger.isForfeit(this.#partition)) {
      highWatermarks.answered(this.#name, this.#partition, epoch, response.highWatermark);
    }
    // Only a deletion acknowledged before the request must show in its answer.
    const isFresh = deletedTo === ledger.deletedTo(this.#partition);
    ledger.logStartSeen(this.#partition, response.logStartOffset, isFresh);
    const read = decodeBatches(response.batches);
    for (const record of read.records) {
      if (record.offset < this.#position) continue;
      if (record.offset > this.#position && !isCompacted) violate(`${this.#name} missed ${this.#position}`);
      if (record.offset >= response.highWatermark) {
        violate(`${this.#name} was served ${record.offset} above the high watermark`);
      }
      ledger.observed(this.#partition, record.offset, record.id, { by: this.#name, servedMs: response.servedMs });
      if (onProgress !== undefined) this.records.push({ offset: record.offset, id: record.id });
      this.#position = record.offset + 1;
      this.#lastEpoch = record.epoch;
    }
    if (isCompacted && read.endOffset > this.#position) this.#position = read.endOffset;
    onProgress?.({ position: this.#position, highWatermark: response.highWatermark });
  }

  /** Below the log start: records were deleted, go to the start. Above the end: what was read there is gone. */
  #findPlace(currentLeaderEpoch: number): void {
    const { client, at, ledger } = this.#options;
    client.requestLeader({ kind: "log-start", ...at, currentLeaderEpoch }, (response) => {
      if (response.kind !== "log-start") return this.#refreshAndRetry();
      ledger.logStartSeen(this.#partition, response.offset, false);
      if (this.#position >= response.offset) this.#truncated("the leader calls that out of range");
      this.#position = response.offset;
      this.#lastEpoch = -1;
      this.#refreshAndRetry();
    });
  }
}
