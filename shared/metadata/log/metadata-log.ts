/**
 * The seam between the users of a cell's metadata log and what it is made of (after Delos): a totally ordered list of
 * entries with numbers from 1, without gaps, to which anyone may append at the tail. The log decides who was first;
 * there is no other lock. Expected failures are results; nothing here throws unless there is a bug.
 */
import type { MetadataSeq } from "../records/record.ts";
import type { StoredEntry } from "./items/entry-item.ts";

export interface MetadataLog {
  /**
   * Appends the entry as number `entry.seq`, which the caller holds for tail + 1. Bounded in attempts and time, also
   * over a store that never answers.
   */
  append(entry: StoredEntry): Promise<AppendResult>;
  /** Entries from `from` on, in order, without gaps, strongly consistent: an empty page means `from` is not written. */
  readNext(from: MetadataSeq): Promise<ReadResult>;
  /** The last number written, strongly consistent; looks from `known` (a number that was once written, or 0) on. */
  checkTail(known: MetadataSeq): Promise<TailResult>;
  /** Gives up entries up to `upTo`, which must be below a verified snapshot. Deletes some of them; call again for more. */
  trim(upTo: MetadataSeq): Promise<TrimResult>;
  /** Ends the log for ever, at whatever its tail is; sealing again answers the same. */
  seal(known: MetadataSeq): Promise<SealResult>;
}

/** The store did not answer, or refused for now; nothing was done. */
export type LogUnavailable = { readonly kind: "unavailable"; readonly message: string };
/** The store holds what no version of this code writes: stop, and call a person. */
export type LogCorrupt = { readonly kind: "corrupt"; readonly message: string };
/** Entries up to `trimmed` are gone: what the caller knew is too old, it must reload from the snapshot. */
export type LogTrimmed = { readonly kind: "trimmed"; readonly trimmed: MetadataSeq };

export type AppendResult =
  | { readonly kind: "appended" }
  /** Another entry has the number: these won, in order. Apply them, validate again, try again. */
  | { readonly kind: "conflict"; readonly entries: readonly StoredEntry[] }
  /**
   * The number is in the trimmed part of the log. Almost always the entry is not in the log (it fell into the hole and
   * was dropped); only when this process was suspended for so long that its entry was trimmed since, it was. Reload.
   */
  | LogTrimmed
  | { readonly kind: "sealed" }
  | LogUnavailable
  /** It may be in the log, now or in a moment. Reading the number will tell, once something stands there. */
  | { readonly kind: "unknown"; readonly message: string }
  | LogCorrupt;

export type ReadResult =
  /** `more`: there may be more at once. `sealed`: the log ends after these. */
  | {
      readonly kind: "entries";
      readonly entries: readonly StoredEntry[];
      readonly more: boolean;
      readonly sealed: boolean;
    }
  | LogTrimmed
  | LogUnavailable
  | LogCorrupt;

export type TailResult =
  | { readonly kind: "tail"; readonly seq: MetadataSeq; readonly sealed: boolean }
  | LogTrimmed
  | LogUnavailable
  | LogCorrupt;

export type TrimResult =
  /** `more`: entries below are still there, call again. */
  | { readonly kind: "done"; readonly trimmed: MetadataSeq; readonly deleted: number; readonly more: boolean }
  /** No verified snapshot lies above `upTo`. */
  | { readonly kind: "not-covered" }
  | LogUnavailable
  | LogCorrupt;

export type SealResult =
  | { readonly kind: "sealed"; readonly tail: MetadataSeq }
  | LogTrimmed
  | LogUnavailable
  | LogCorrupt;
