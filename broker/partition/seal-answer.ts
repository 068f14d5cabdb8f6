import type { Offset } from "../log/log-contract.ts";

/** What a replica answers when a controller seals it for an epoch. */
export type SealAnswer =
  | {
      readonly kind: "sealed";
      readonly acceptedEpoch: number;
      readonly endOffset: Offset;
      readonly logStartOffset: Offset;
      /** Its data may not have survived: it counts in no quorum (only in a recovery without one). */
      readonly lost: boolean;
    }
  | { readonly kind: "refused"; readonly promisedEpoch: number }
  | { readonly kind: "failed" };
