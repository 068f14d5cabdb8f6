import type { BrokerId, TopicId } from "../../../shared/metadata/records/record.ts";
import type { RequestContext } from "./handler.ts";

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
  readonly #context: RequestContext;
  readonly #nodes = new Map<BrokerId, NodeEndpoint>();

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** Endpoints of the leaders hinted at so far. */
  get nodes(): NodeEndpoint[] {
    return [...this.#nodes.values()];
  }

  /** The leader to ask, by the newest image; undefined when none can be reached, or when this broker's turn is over. */
  hint(topicId: TopicId | undefined, partition: number): LeaderHint | undefined {
    if (topicId === undefined) return undefined;
    const { services, session } = this.#context;
    const state = session.tenant.ownTopic(topicId)?.partitions[partition];
    // Sent back here, the client would only hear the same again until the image has caught up.
    if (state === undefined || state.leader === services.brokerId) return undefined;
    const leader = session.tenant.broker(state.leader, session.listener);
    if (leader === undefined) return undefined;
    if (!this.#nodes.has(leader.brokerId)) {
      const { brokerId, host, port, zone } = leader;
      this.#nodes.set(brokerId, { nodeId: brokerId, host, port, rack: zone });
    }
    return { leaderId: state.leader, leaderEpoch: state.leaderEpoch };
  }
}
