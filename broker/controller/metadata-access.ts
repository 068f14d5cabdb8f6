import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { MetadataRecord, MetadataSeq } from "../../shared/metadata/records/record.ts";

/** What is decided about an image: records to append (none: nothing to do) and what to tell the asker. */
export interface Proposal<R> {
  readonly records: readonly MetadataRecord[];
  readonly reply: R;
}

export type ProposeResult<R> =
  /** Decided against the log's tail, appended (if there was something to append) and applied here. */
  | { readonly kind: "done"; readonly seq: MetadataSeq; readonly reply: R }
  | { readonly kind: "failed"; readonly reason: string };

/** The metadata log as the controller uses it: whoever appends also pushes the entry to the peers. */
export interface MetadataAccess {
  readonly image: MetadataImage;
  /** `decide` is pure; it runs again after every lost race, against the image that won. */
  propose<R>(decide: (image: MetadataImage) => Proposal<R>): Promise<ProposeResult<R>>;
  /** False after the store failed, until it answered again. */
  readonly storeReachable: boolean;
  /** Snapshots and trims if it is time. */
  maintain(): Promise<void>;
}
