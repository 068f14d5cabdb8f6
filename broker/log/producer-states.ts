/** Placeholder contract, filled in by the log's implementation: idempotent producers' last sequences in one partition. */
export interface ProducerStates {
  readonly size: number;
}
