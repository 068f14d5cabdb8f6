import type { MetadataSeq } from "../records/record.ts";

export type ProposeResult<Reply> =
  /**
   * The records are in the log, in entry `seq`, and applied here. Several proposals may share an entry; push
   * `entryBytes` to the other brokers once for each `seq`.
   */
  | { readonly kind: "done"; readonly seq: MetadataSeq; readonly entryBytes: Buffer; readonly reply: Reply }
  /** The decision had no records. It was made on an image that was the newest when the call began, or later. */
  | { readonly kind: "refused"; readonly reply: Reply }
  | ProposeFailed;

export interface ProposeFailed {
  readonly kind: "failed";
  /**
   * `unavailable`, `overloaded`, `too-many-conflicts`, `sealed`, `stopped`: nothing was appended. `too-large`: neither;
   * the decision needs more than one entry. `unknown`, `trimmed`: the entry may be in the log (see `AppendResult`); the
   * image will tell.
   */
  readonly reason:
    | "unavailable"
    | "unknown"
    | "overloaded"
    | "too-many-conflicts"
    | "too-large"
    | "trimmed"
    | "sealed"
    | "stopped";
  readonly message: string;
}
