/**
 * What one partition knows of its idempotent producers, so that a batch that was sent twice is stored once, and one that
 * comes out of order is refused (KIP-98; the rules are those of Kafka 4's `ProducerAppendInfo`).
 *
 * Leader and followers keep it alike, from batch headers: after an election it is there. It holds what was appended, also
 * what is not written or committed yet, and goes back when the log is truncated.
 */
import { addToSequence, noSequence } from "../../shared/kafka/records/record-batch.ts";
import { batchesPerProducer, producerExpirationMsDefault, producersPerPartitionMax } from "./limits.ts";

/** The fields of a batch header that matter here; `RecordBatchView` has them. */
export interface ProducerBatch {
  /** -1: not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastOffsetDelta: number;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

/** One of the last batches of a producer. */
export interface AppendedBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  /** One past its last offset. */
  readonly endOffset: number;
  /** Its maximum timestamp, which a duplicate's answer repeats under LogAppendTime. */
  readonly timestampMs: number;
}

export interface ProducerState {
  readonly producerId: number;
  readonly epoch: number;
  /** The broker's clock at the last append (at recovery: the time of the recovery). */
  readonly lastSeenMs: number;
  /** First offset of the transaction that is open; -1 when none is. */
  readonly transactionStart: number;
  /** At most `batchesPerProducer`, oldest first, all of `epoch`. Empty after a bare transaction marker. */
  readonly batches: readonly AppendedBatch[];
}

export type ProducerRefusal = "OUT_OF_ORDER_SEQUENCE_NUMBER" | "INVALID_PRODUCER_EPOCH";

export type ProducerCheck =
  | { readonly kind: "new" }
  /** It is in the log already: answer with where. It may not be committed yet. */
  | {
      readonly kind: "duplicate";
      readonly baseOffset: number;
      readonly endOffset: number;
      readonly timestampMs: number;
    }
  | { readonly kind: "refused"; readonly error: ProducerRefusal; readonly message: string };

const fresh: ProducerCheck = { kind: "new" };

interface MutableState {
  readonly producerId: number;
  epoch: number;
  lastSeenMs: number;
  transactionStart: number;
  batches: MutableBatch[];
}

type MutableBatch = { -readonly [Field in keyof AppendedBatch]: AppendedBatch[Field] };

function emptySlot(): MutableBatch {
  return { baseSequence: 0, lastSequence: 0, baseOffset: 0, endOffset: 0, timestampMs: 0 };
}

export interface ProducerLimits {
  readonly expirationMs: number;
  readonly producersMax: number;
}

const defaultLimits: ProducerLimits = {
  expirationMs: producerExpirationMsDefault,
  producersMax: producersPerPartitionMax,
};

export class ProducerStates {
  readonly #states = new Map<number, MutableState>();
  readonly #limits: ProducerLimits;

  constructor(limits: ProducerLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** From stored states, as `all` gave them. */
  static of(states: Iterable<ProducerState>, limits: ProducerLimits = defaultLimits): ProducerStates {
    const made = new ProducerStates(limits);
    for (const state of states)
      made.#states.set(state.producerId, { ...state, batches: state.batches.map((batch) => ({ ...batch })) });
    return made;
  }

  /** How many producers are remembered. */
  get size(): number {
    return this.#states.size;
  }

  /** As it is now: it changes with the next `update`. */
  find(producerId: number): ProducerState | undefined {
    return this.#states.get(producerId);
  }

  /** In the order in which the producers were first seen. */
  all(): Iterable<ProducerState> {
    return this.#states.values();
  }

  /**
   * May a client's batch be appended? Changes nothing. Asked by the leader only: followers take what the leader took.
   * A producer that is not known (forgotten, expired, its records deleted) may begin with any sequence number.
   */
  check(batch: ProducerBatch): ProducerCheck {
    const producerId = batch.producerId;
    if (producerId < 0) return fresh;
    const state = this.#states.get(producerId);
    if (state === undefined) return fresh;
    const epoch = batch.producerEpoch;
    const first = batch.baseSequence;
    if (epoch === state.epoch) {
      const last = addToSequence(first, batch.lastOffsetDelta);
      for (const known of state.batches) {
        if (known.baseSequence === first && known.lastSequence === last) return duplicateOf(known);
      }
      const before = state.batches.at(-1)?.lastSequence ?? noSequence;
      if (first === (before === noSequence ? 0 : addToSequence(before, 1))) return fresh;
      return outOfOrder(`producer ${producerId}: sequence ${first} after ${before} in epoch ${epoch}`);
    }
    if (epoch < state.epoch) {
      const message = `producer ${producerId}: epoch ${epoch} is smaller than the last seen epoch ${state.epoch}`;
      return { kind: "refused", error: "INVALID_PRODUCER_EPOCH", message };
    }
    if (first === 0) return fresh;
    return outOfOrder(
      `producer ${producerId}: sequence ${first} is the first of epoch ${epoch}, which must begin at 0`,
    );
  }

  /** Takes in an appended batch. On followers and in recovery an older epoch is taken as well, as Kafka does. */
  update(batch: ProducerBatch, wallMs: number): void {
    const producerId = batch.producerId;
    if (producerId < 0) return;
    let state = this.#states.get(producerId);
    if (state === undefined) {
      if (this.#states.size >= this.#limits.producersMax) this.#forgetOldest();
      state = { producerId, epoch: batch.producerEpoch, lastSeenMs: wallMs, transactionStart: -1, batches: [] };
      this.#states.set(producerId, state);
    }
    if (state.epoch !== batch.producerEpoch) {
      state.epoch = batch.producerEpoch;
      state.batches = [];
    }
    state.lastSeenMs = wallMs;
    if (batch.isControl) {
      state.transactionStart = -1;
      return;
    }
    const baseOffset = batch.baseOffset;
    if (batch.isTransactional && state.transactionStart < 0) state.transactionStart = baseOffset;
    const { batches } = state;
    // The object of the batch that is forgotten serves the new one: nothing is allocated at a steady pace.
    const slot = (batches.length < batchesPerProducer ? undefined : batches.shift()) ?? emptySlot();
    slot.baseSequence = batch.baseSequence;
    slot.lastSequence = addToSequence(slot.baseSequence, batch.lastOffsetDelta);
    slot.baseOffset = baseOffset;
    slot.endOffset = baseOffset + batch.lastOffsetDelta + 1;
    slot.timestampMs = batch.maxTimestamp;
    batches.push(slot);
  }

  /** Forgets producers that were not seen for the expiration time and have no open transaction; says how many. */
  expire(wallMs: number): number {
    let expired = 0;
    for (const state of this.#states.values()) {
      if (state.transactionStart >= 0 || wallMs - state.lastSeenMs < this.#limits.expirationMs) continue;
      this.#states.delete(state.producerId);
      expired += 1;
    }
    return expired;
  }

  /** Makes room at the limit: a tenth at once, so that a flood of producers does not sort the table for each of them. */
  #forgetOldest(): void {
    const idle = [...this.#states.values()].filter((state) => state.transactionStart < 0);
    idle.sort((one, other) => one.lastSeenMs - other.lastSeenMs);
    const room = Math.max(1, Math.floor(this.#limits.producersMax / 10));
    for (const state of idle.slice(0, room)) this.#states.delete(state.producerId);
  }
}

function duplicateOf(known: AppendedBatch): ProducerCheck {
  const { baseOffset, endOffset, timestampMs } = known;
  return { kind: "duplicate", baseOffset, endOffset, timestampMs };
}

function outOfOrder(message: string): ProducerCheck {
  return { kind: "refused", error: "OUT_OF_ORDER_SEQUENCE_NUMBER", message };
}
