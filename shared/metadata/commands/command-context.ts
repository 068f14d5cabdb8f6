import type { BrokerId } from "../records/record.ts";

/** What a decision may know besides the image: handed in, so that it stays a pure function. */
export interface CommandContext {
  /** Brokers that the controller holds for alive. */
  readonly aliveBrokers: readonly BrokerId[];
  /** The time to write into records, milliseconds since the Unix epoch. Nothing is decided by it. */
  readonly wallMs: number;
  /** The cell's number in the fleet: the high bits of its producer ids. */
  readonly cellNumber: number;
  /** A new random id, 32 lowercase hex digits. */
  randomId(): string;
}
