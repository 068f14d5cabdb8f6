import type { RecordLedger } from "../checkers/record-ledger.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { partitionKey, type RequestError, type Response, type TopicPartition } from "./kafka-messages.ts";
import { encodeBatch, type RecordKey } from "./test-records.ts";

/** delivery.timeout.ms: after that a batch is given up. */
export const deliveryTimeoutMs = 15_000;
const produceTimeoutMs = 1_500;
const retryBackoffMs = 60;

/** `quorum`: idempotent, acks=all, retried until delivered. `leader-only`: acks=1, sent once. */
export type ProducerKind = "quorum" | "leader-only";

/** Some keys are written again and again; of the many others what is deleted stays so. */
const hotKeys = 8;
const coldKeys = 150;
const hotShare = 0.6;
const tombstoneShare = 0.3;

interface Batch {
  readonly ids: readonly string[];
  readonly keys: readonly RecordKey[] | undefined;
  readonly createdMs: number;
  readonly paddingBytes: number;
  baseSequence: number;
  producerId: number;
  attempts: number;
  isInFlight: boolean;
  retryAtMs: number;
}

export interface PartitionProducerOptions {
  readonly client: KafkaClient;
  readonly ledger: RecordLedger;
  readonly at: TopicPartition;
  readonly kind: ProducerKind;
  /** Batches on their way at once (max.in.flight.requests.per.connection). */
  readonly inFlightMax: number;
  readonly nextProducerId: () => number;
  readonly violate: (message: string) => void;
  /** Some of the log may be deleted on purpose, and with it what the broker knows of its producers. */
  readonly mayForgetProducers: boolean;
  /** Records get keys, and some are tombstones. */
  readonly isKeyed: boolean;
}

/**
 * One producer's way to one partition, as in the Java client: batches numbered in sequence, several on their way, a batch
 * that failed in a way that may pass sent again before younger ones, and given up when its time is over.
 */
export class PartitionProducer {
  readonly name: string;
  readonly #options: PartitionProducerOptions;
  #queue: Batch[] = [];
  #producerId: number;
  #nextSequence = 0;
  #sentRecords = 0;
  /** The broker is known to have a committed batch of this producer id: it must then refuse gaps. */
  #isEstablished = false;
  #isWaiting = false;

  constructor(options: PartitionProducerOptions) {
    this.#options = options;
    this.name = `c${options.client.process.machineId}.${partitionKey(options.at)}`;
    this.#producerId = options.kind === "quorum" ? options.nextProducerId() : -1;
  }

  get pendingBatches(): number {
    return this.#queue.length;
  }

  /** Takes `count` new records to be sent as one batch. */
  produce(count: number, paddingBytes: number): void {
    const { ledger, at, kind, client, isKeyed } = this.#options;
    const partition = partitionKey(at);
    const ids: string[] = [];
    const keys = isKeyed ? Array.from({ length: count }, () => this.#drawKey()) : undefined;
    for (let i = 0; i < count; i += 1) {
      this.#sentRecords += 1;
      const id = `${this.name}#${this.#sentRecords}`;
      ids.push(id);
      const record = { id, partition, producer: this.name, number: this.#sentRecords, isQuorum: kind === "quorum" };
      ledger.sent({ ...record, ...keys?.[i] });
    }
    this.#queue.push({
      ids,
      keys,
      createdMs: client.process.clock.monotonicMs(),
      paddingBytes,
      baseSequence: this.#takeSequences(count),
      producerId: this.#producerId,
      attempts: 0,
      isInFlight: false,
      retryAtMs: 0,
    });
    this.#pump();
  }

  /** The topic is gone: what is under way will never be known. */
  abandon(): void {
    for (const batch of this.#queue.splice(0)) this.#options.ledger.ended(batch.ids, "unknown");
  }

  #drawKey(): RecordKey {
    const { random } = this.#options.client.process;
    const key = random.chance(hotShare) ? `hot${random.below(hotKeys)}` : `cold${random.below(coldKeys)}`;
    return { key, isTombstone: random.chance(tombstoneShare) };
  }

  #takeSequences(count: number): number {
    if (this.#options.kind !== "quorum") return -1;
    const first = this.#nextSequence;
    this.#nextSequence += count;
    return first;
  }

  #pump(): void {
    const { client, inFlightMax } = this.#options;
    const nowMs = client.process.clock.monotonicMs();
    this.#expire(nowMs);
    let inFlight = this.#queue.filter((batch) => batch.isInFlight).length;
    // Until the first acknowledgement a leader that does not know the producer would take any sequence for the first.
    const allowed = this.#isEstablished || this.#options.kind === "leader-only" ? inFlightMax : 1;
    for (const batch of this.#queue) {
      if (batch.isInFlight) continue;
      if (inFlight >= allowed || (batch.attempts > 0 && inFlight > 0)) break;
      if (batch.retryAtMs > nowMs) {
        this.#pumpLater(batch.retryAtMs - nowMs);
        break;
      }
      inFlight += 1;
      this.#send(batch);
    }
  }

  #pumpLater(ms: number): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.client.process.timers.after(ms, () => {
      this.#isWaiting = false;
      this.#pump();
    });
  }

  #send(batch: Batch): void {
    const { client, at, kind } = this.#options;
    batch.isInFlight = true;
    batch.attempts += 1;
    const records = encodeBatch({
      producerId: batch.producerId,
      baseSequence: batch.baseSequence,
      timestampMs: client.process.clock.wallMs(),
      recordIds: batch.ids,
      keys: batch.keys,
      paddingBytes: batch.paddingBytes,
    });
    const acks = kind === "quorum" ? -1 : 1;
    client.requestLeader({ kind: "produce", ...at, records, acks, timeoutMs: produceTimeoutMs }, (response) => {
      batch.isInFlight = false;
      if (this.#queue.includes(batch)) this.#answered(batch, response);
      this.#pump();
    });
  }

  #answered(batch: Batch, response: Response): void {
    const { ledger, kind, client } = this.#options;
    if (response.kind === "produced") {
      this.#remove(batch);
      this.#isEstablished = true;
      ledger.acknowledged(batch.ids, response.baseOffset, response.committedMs);
      return;
    }
    if (response.kind !== "error") throw new Error(`a produce request was answered with ${response.kind}`);
    client.refresh(() => this.#pump());
    if (kind === "leader-only") {
      this.#remove(batch);
      ledger.ended(batch.ids, "unknown");
    } else if (isFatal(response.error, batch === this.#queue[0])) {
      this.#refusedForGood(batch, response.error, response.message);
    } else {
      batch.retryAtMs = client.process.clock.monotonicMs() + retryBackoffMs;
      this.#pumpLater(retryBackoffMs);
    }
  }

  /** No retry helps: as the Java client does, everything under way is given up and a new producer id taken. */
  #refusedForGood(batch: Batch, error: RequestError, message: string | undefined): void {
    const { violate, mayForgetProducers, ledger, at } = this.#options;
    const excused = mayForgetProducers || ledger.isForfeit(partitionKey(at));
    if (this.#isEstablished && !excused) {
      violate(
        `${this.name} was refused ${batch.ids[0]} with ${error} although all before it was acknowledged: ${message}`,
      );
    }
    this.#restart();
  }

  #expire(nowMs: number): void {
    const head = this.#queue[0];
    if (head !== undefined && nowMs - head.createdMs > deliveryTimeoutMs) this.#restart();
  }

  /** Gives up what was ever sent; what was not gets a new producer id and sequences from 0. */
  #restart(): void {
    const { ledger, kind, nextProducerId } = this.#options;
    const unsent = this.#queue.filter((batch) => batch.attempts === 0);
    for (const batch of this.#queue) if (batch.attempts > 0) ledger.ended(batch.ids, "unknown");
    this.#queue = unsent;
    this.#isEstablished = false;
    if (kind === "quorum") this.#producerId = nextProducerId();
    this.#nextSequence = 0;
    for (const batch of unsent) {
      batch.producerId = this.#producerId;
      batch.baseSequence = this.#takeSequences(batch.ids.length);
    }
  }

  /** What was established may be gone with a power cut that took a quorum. */
  permitLoss(): void {
    this.#restart();
  }

  #remove(batch: Batch): void {
    this.#queue = this.#queue.filter((other) => other !== batch);
  }
}

function isFatal(error: RequestError, isOldest: boolean): boolean {
  // A gap is no news while an older batch is still to be sent again.
  if (error === "OUT_OF_ORDER_SEQUENCE_NUMBER") return isOldest;
  return [
    "INVALID_PRODUCER_EPOCH",
    "UNKNOWN_PRODUCER_ID",
    "INVALID_RECORD",
    "INVALID_TIMESTAMP",
    "MESSAGE_TOO_LARGE",
    "RECORD_LIST_TOO_LARGE",
    "CORRUPT_MESSAGE",
  ].includes(error);
}
