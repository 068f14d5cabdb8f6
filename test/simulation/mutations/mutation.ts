import type { Broker } from "../../../broker/broker.ts";
import type { HostedPartition } from "../../../broker/partition/partition-contract.ts";
import type { ReplicationRules } from "../../../broker/replication/replication-rules.ts";
import type { ItemStore } from "../../../shared/item-store/item-store.ts";
import type { Personality } from "../faults/personality.ts";

/** One deliberate bug, switched on alone: the simulator must catch it. */
export interface Mutation {
  readonly name: string;
  /** What is wrong, and the letter of the model's mutation if it has one. */
  readonly what: string;
  readonly rules?: Partial<ReplicationRules>;
  /** The bug is in how a broker uses the store. */
  readonly items?: (store: ItemStore) => ItemStore;
  readonly skipsSync?: boolean;
  /** The bug is in how coordinators of groups see the partitions that they live on. */
  readonly coordinatedBy?: (hosted: HostedPartition, broker: Broker) => HostedPartition;
  /** What kind of runs let the bug do its damage; the sound code passes the same runs. */
  readonly schedule?: Partial<Personality>;
}
