/**
 * The small decisions on which the safety of replication rests, each under its own name: the model in `design/model`
 * shows for every one what is lost without it (the letter is the model's mutation). They are handed in, so that the
 * simulator can break one at a time and prove that it would notice. Production code always passes `soundRules`.
 */
import type { Offset } from "../log/log-contract.ts";

/** A replica's claim to lead: as in Viewstamped Replication, the last epoch it fully matched, then how much it holds. */
export interface Rank {
  readonly acceptedEpoch: number;
  readonly endOffset: Offset;
}

export interface ReplicationRules {
  /** A: does an acknowledgement count for commit? Only from a replica that has accepted the leader's epoch. */
  countsForCommit(ack: { readonly accepted: boolean; readonly votes: boolean }): boolean;
  /** B: positive when `a` outranks `b`. */
  compareRank(a: Rank, b: Rank): number;
  /** C: what a replica promises when it is sealed for `epoch`. */
  promiseWhenSealed(promisedEpoch: number, epoch: number): number;
  /** D: may a replica vote whose data may not have survived? */
  mayVote(replica: { readonly lost: boolean }): boolean;
  /** D: is the data directory still the one on which acknowledgements and promises were given? */
  dataSurvived(evidence: {
    readonly sameStorage: boolean;
    readonly sameBoot: boolean;
    readonly cleanShutdown: boolean;
  }): boolean;
  /** F: what the leader itself counts as held. */
  ownHeldOffset(log: { readonly writtenOffset: Offset; readonly endOffset: Offset }): Offset;
  /** G: may a follower adopt the leader's epoch as its accepted one? */
  mayAccept(writtenOffset: Offset, endAtElection: Offset): boolean;
  /** H1: may a leader answer reads? */
  mayServe(highWatermark: Offset, endAtElection: Offset): boolean;
  /** H2: what a follower says it holds when a leader attaches, given what it held before and after reconciling. */
  heldWhenAttached(before: Offset, after: Offset): { readonly heldOffset: Offset; readonly forceAccepted: boolean };
  /** J: does a sealed leader stop counting at once? */
  stopsWhenSealed(): boolean;
  /** K, R: may a follower acknowledge a finished write to the leader of `streamEpoch`? */
  mayAcknowledge(state: {
    readonly streamEpoch: number;
    readonly promisedEpoch: number;
    readonly reconciled: boolean;
  }): boolean;
  /** L, O: may the replica that the newest record names take office? */
  mayTakeOffice(state: { readonly epoch: number; readonly acceptedEpoch: number; readonly lost: boolean }): boolean;
  /** V: what a replica promises when it reads that a leader was elected for `epoch`. */
  promiseWhenElected(promisedEpoch: number, epoch: number): number;
  /** S: the accepted epoch that a new leader writes before it pushes anything. */
  acceptedOnOffice(acceptedEpoch: number, epoch: number): number;
  /** Q: does a leader whose push was refused for a newer promise report it, and a controller resume a logged intent? */
  reportsRefusal(): boolean;
  /** Where a follower cuts its log, given where its history departs from the leader's. */
  truncationPoint(commonEnd: Offset, endOffset: Offset): Offset;
}

export const soundRules: ReplicationRules = {
  countsForCommit: (ack) => ack.accepted && ack.votes,
  compareRank: (a, b) => a.acceptedEpoch - b.acceptedEpoch || a.endOffset - b.endOffset,
  promiseWhenSealed: (promisedEpoch, epoch) => Math.max(promisedEpoch, epoch),
  mayVote: (replica) => !replica.lost,
  dataSurvived: (evidence) => evidence.sameStorage && (evidence.sameBoot || evidence.cleanShutdown),
  ownHeldOffset: (log) => log.writtenOffset,
  mayAccept: (writtenOffset, endAtElection) => writtenOffset >= endAtElection,
  mayServe: (highWatermark, endAtElection) => highWatermark >= endAtElection,
  heldWhenAttached: (_before, after) => ({ heldOffset: after, forceAccepted: false }),
  stopsWhenSealed: () => true,
  mayAcknowledge: (state) => state.reconciled && state.streamEpoch === state.promisedEpoch,
  mayTakeOffice: (state) => state.acceptedEpoch < state.epoch && !state.lost,
  promiseWhenElected: (promisedEpoch, epoch) => Math.max(promisedEpoch, epoch),
  acceptedOnOffice: (_acceptedEpoch, epoch) => epoch,
  reportsRefusal: () => true,
  truncationPoint: (commonEnd) => commonEnd,
};
