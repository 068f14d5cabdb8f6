/** Several queued decisions gathered into one entry, each made on an image that has the effects of those before it. */
import type { Decide } from "../commands/decision.ts";
import { ImageState } from "../image/image-state.ts";
import { violation } from "../image/invariants.ts";
import { replayUnnumbered } from "../image/replay.ts";
import { encodedRecordBytes } from "../records/entry.ts";
import { entryBytesMax, entryEnvelopeBytes, entryRecordsMax } from "../records/limits.ts";
import type { MetadataRecord } from "../records/record.ts";

/** A decision that threw, or whose records break an invariant: a bug, told to the one who proposed it. */
export class ProposalError extends Error {
  readonly code = "METADATA_PROPOSAL";
}

export type DraftOutcome<P> =
  | {
      readonly proposal: P;
      readonly kind: "decided";
      readonly reply: unknown;
      readonly records: readonly MetadataRecord[];
    }
  | { readonly proposal: P; readonly kind: "too-large" }
  | { readonly proposal: P; readonly kind: "threw"; readonly error: unknown };

export interface Draft<P> {
  readonly outcomes: readonly DraftOutcome<P>[];
  readonly records: readonly MetadataRecord[];
  /** Those for which there was no room; they come first in the next entry. */
  readonly deferred: readonly P[];
}

/** Decides in order over `state`, which stays as it is. */
export function draftEntry<P extends { readonly decide: Decide<unknown> }>(
  state: ImageState,
  proposals: readonly P[],
): Draft<P> {
  const outcomes: DraftOutcome<P>[] = [];
  const records: MetadataRecord[] = [];
  let trial = ImageState.over(state);
  let bytes = 0;
  for (const [index, proposal] of proposals.entries()) {
    const outcome = decideOne(trial, proposal);
    if (outcome.kind !== "decided") {
      outcomes.push(outcome);
      // The trial may hold a part of what this one wanted.
      trial = ImageState.over(state);
      replayUnnumbered(trial, records);
      continue;
    }
    const size = outcome.records.reduce((sum, record) => sum + encodedRecordBytes(record, state.featureLevel), 0);
    if (!fits(size, outcome.records.length)) {
      outcomes.push({ proposal, kind: "too-large" });
      trial = ImageState.over(state);
      replayUnnumbered(trial, records);
      continue;
    }
    if (!fits(bytes + size, records.length + outcome.records.length)) {
      return { outcomes, records, deferred: proposals.slice(index) };
    }
    outcomes.push(outcome);
    records.push(...outcome.records);
    bytes += size;
  }
  return { outcomes, records, deferred: [] };
}

/** Makes the decision and tries its records on the trial image. */
function decideOne<P extends { readonly decide: Decide<unknown> }>(trial: ImageState, proposal: P): DraftOutcome<P> {
  try {
    const { records, reply } = proposal.decide(trial);
    for (const record of records) {
      const why = violation(trial, record);
      if (why !== undefined) {
        throw new ProposalError(`record ${record.type} must not be written: ${why}`);
      }
      replayUnnumbered(trial, [record]);
    }
    return { proposal, kind: "decided", reply, records };
  } catch (error) {
    return { proposal, kind: "threw", error };
  }
}

function fits(bytes: number, records: number): boolean {
  return bytes <= entryBytesMax - entryEnvelopeBytes && records <= entryRecordsMax;
}
