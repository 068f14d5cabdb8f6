/** Which leader epoch wrote which offsets of one log: the leader-epoch history of KIP-101, as a value with pure operations. */
export interface EpochStart {
  readonly epoch: number;
  /** First offset written in the epoch. */
  readonly startOffset: number;
}

export interface EpochHistory {
  /** Ascending in both fields, at most one per epoch. */
  readonly entries: readonly EpochStart[];
  readonly lastEpoch: number;
}
