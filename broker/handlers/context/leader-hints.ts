import type { BrokerId, PartitionState } from "../../../shared/metadata/records/record.ts";
import type { TenantView } from "./tenant-view.ts";

export interface LeaderHint {
  readonly leaderId: BrokerId;
  readonly leaderEpoch: number;
}

export interface NodeEndpoint {
  readonly nodeId: BrokerId;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
}

/**
 * Gathers, for one response, where the leaders are that the client should ask instead (KIP-951), so that it need not
 * ask for metadata first.
 */
export class LeaderHints {
  readonly #tenant: TenantView;
  readonly #listener: string;
  readonly #nodes = new Map<BrokerId, NodeEndpoint>();

  constructor(tenant: TenantView, listener: string) {
    this.#tenant = tenant;
    this.#listener = listener;
  }

  /** Endpoints of the leaders hinted at so far. */
  get nodes(): NodeEndpoint[] {
    return [...this.#nodes.values()];
  }

  /** The leader to ask, or undefined when none can be reached. */
  hint(state: PartitionState | undefined): LeaderHint | undefined {
    if (state === undefined) return undefined;
    const leader = this.#tenant.broker(state.leader, this.#listener);
    if (leader === undefined) return undefined;
    if (!this.#nodes.has(leader.brokerId)) {
      const { brokerId, host, port, zone } = leader;
      this.#nodes.set(brokerId, { nodeId: brokerId, host, port, rack: zone });
    }
    return { leaderId: state.leader, leaderEpoch: state.leaderEpoch };
  }
}
