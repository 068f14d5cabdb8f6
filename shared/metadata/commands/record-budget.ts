import { encodedRecordBytes } from "../records/entry.ts";
import { entryBytesMax, entryEnvelopeBytes, entryRecordsMax } from "../records/limits.ts";
import type { MetadataRecord } from "../records/record.ts";
import { type CommandError, refused } from "./command-error.ts";

/** What one command may write: one entry of the log. The parts of a request that go beyond it are refused, each for itself. */
export class RecordBudget {
  readonly #featureLevel: number;
  #bytes = entryBytesMax - entryEnvelopeBytes;
  #records = entryRecordsMax;

  constructor(featureLevel: number) {
    this.#featureLevel = featureLevel;
  }

  /** Takes the room that the records need; an error, and no room taken, when there is not enough. */
  take(records: readonly MetadataRecord[]): CommandError | undefined {
    const bytes = records.reduce((sum, record) => sum + encodedRecordBytes(record, this.#featureLevel), 0);
    if (bytes > this.#bytes || records.length > this.#records) {
      return refused("POLICY_VIOLATION", "The request changes more than fits at once: send it in smaller parts.");
    }
    this.#bytes -= bytes;
    this.#records -= records.length;
    return undefined;
  }
}
