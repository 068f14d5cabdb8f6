import type { ReplicationRules } from "../../../broker/replication/replication-rules.ts";
import type { ItemStore } from "../../../shared/item-store/item-store.ts";
import type { FaultKind } from "../faults/fault-kinds.ts";

/** One deliberate bug, switched on alone: the simulator must catch it. */
export interface Mutation {
  readonly name: string;
  /** What is wrong, and the letter of the model's mutation if it has one. */
  readonly what: string;
  readonly rules?: Partial<ReplicationRules>;
  /** The bug is in how a broker uses the store. */
  readonly items?: (store: ItemStore) => ItemStore;
  readonly skipsSync?: boolean;
  /** Kinds of faults, by weight, under which the bug does its damage; the sound code passes the same schedules. */
  readonly faults?: Readonly<Partial<Record<FaultKind, number>>>;
}
