import { type ErrorName, errorCode } from "../../../shared/kafka/error-codes.ts";
import type { TopicImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, PartitionState } from "../../../shared/metadata/records/record.ts";
import type { RequestContext } from "./handler.ts";
import type { VisibleBroker } from "./tenant-view.ts";

export interface PartitionDescription {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: BrokerId;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly BrokerId[];
  readonly isrNodes: readonly BrokerId[];
  readonly offlineReplicas: readonly BrokerId[];
}

/**
 * Tells a client about partitions in Kafka's terms, for one response. Replication here is by quorum: the in-sync set is
 * what the leader counts within the lag bound, which only the leader knows; another broker shows the voters that are
 * alive.
 */
export class PartitionDescriber {
  /** Alive brokers with the endpoints of the client's listener. */
  readonly brokers: readonly VisibleBroker[];
  readonly #context: RequestContext;
  readonly #reachable: ReadonlySet<BrokerId>;

  constructor(context: RequestContext) {
    this.#context = context;
    this.brokers = context.session.tenant.brokers(context.session.listener);
    this.#reachable = new Set(this.brokers.map(({ brokerId }) => brokerId));
  }

  all(topic: TopicImage): PartitionDescription[] {
    return topic.partitions.map((state) => this.one(topic, state));
  }

  one(topic: TopicImage, state: PartitionState): PartitionDescription {
    const replicaNodes = [...new Set([...state.voters, ...state.outgoing, ...state.learners])];
    const leaderId = this.#reachable.has(state.leader) ? state.leader : -1;
    const error: ErrorName = leaderId === -1 ? "LEADER_NOT_AVAILABLE" : "NONE";
    return {
      errorCode: errorCode[error],
      partitionIndex: state.partition,
      leaderId,
      leaderEpoch: state.leaderEpoch,
      replicaNodes,
      isrNodes: this.#inSync(topic, state),
      offlineReplicas: replicaNodes.filter((brokerId) => !this.#reachable.has(brokerId)),
    };
  }

  #inSync(topic: TopicImage, state: PartitionState): readonly BrokerId[] {
    const { services } = this.#context;
    if (state.leader === services.brokerId) {
      const counted = services.partitions.find(topic.topicId, state.partition)?.inSyncReplicas() ?? [];
      if (counted.length > 0) return counted;
    }
    return state.voters.filter((brokerId) => this.#reachable.has(brokerId) && !state.lost.includes(brokerId));
  }
}
