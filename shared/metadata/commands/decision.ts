import type { MetadataImage } from "../image/metadata-image.ts";
import type { MetadataRecord } from "../records/record.ts";

/**
 * What a decision wants: records to append as one entry, or none (an error, a dry run, or nothing to do). Made by a pure
 * function of the image, which is called again whenever the image it was made for turns out to be old.
 */
export interface Decision<Reply> {
  readonly records: readonly MetadataRecord[];
  readonly reply: Reply;
}

export type Decide<Reply> = (image: MetadataImage) => Decision<Reply>;
