/** What a look at all live brokers at once shows: the newest image, and every replica's state, for the checkers. */
import type { Replica } from "../../../broker/partition/replica.ts";
import type { ReplicationRules } from "../../../broker/replication/replication-rules.ts";
import type { MetadataImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { PartitionState } from "../../../shared/metadata/records/record.ts";
import type { LossWindows, VotersOf } from "../checkers/loss-windows.ts";
import type { LeaderView, PartitionView, ReplicaView } from "../checkers/quorum-checker.ts";
import { partitionKey, type TopicPartition } from "../workload/kafka-messages.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import type { SimulatedCell } from "./simulated-cell.ts";

export interface NewestPartition extends VotersOf {
  readonly topicId: string;
  readonly topicName: string;
  readonly lkc: string;
  readonly record: PartitionState;
}

/** The image of the broker that has read furthest; undefined while none serves. */
export function newestImage(cell: SimulatedCell): MetadataImage | undefined {
  let newest: MetadataImage | undefined;
  for (const { broker } of cell.serving) {
    if (newest === undefined || broker.image.seq > newest.seq) newest = broker.image;
  }
  return newest;
}

export function partitionsOf(image: MetadataImage | undefined): NewestPartition[] {
  return [...(image?.topics.values() ?? [])].flatMap((topic) =>
    topic.partitions.map((record, partition) => ({
      topicId: topic.topicId,
      topicName: topic.name,
      lkc: topic.lkc,
      partition: partitionKey({ topicId: topic.topicId, partition }),
      voters: record.voters,
      lost: record.lost,
      record,
    })),
  );
}

/**
 * Remembers the last view of every replica, because one whose process is dead still has what it had written. One whose
 * data may not have survived is left out until it is trusted again.
 */
export class ReplicaViews {
  readonly #last = new Map<string, ReplicaView>();
  readonly #losses: LossWindows;
  readonly #rules: Pick<ReplicationRules, "mayVote">;

  /** `rules`: whom the code under test lets vote, rightly or not. */
  constructor(losses: LossWindows, rules: Pick<ReplicationRules, "mayVote">) {
    this.#losses = losses;
    this.#rules = rules;
  }

  look(cell: SimulatedCell): PartitionView[] {
    const partitions = partitionsOf(newestImage(cell));
    const leaders = new Map<string, LeaderView[]>();
    for (const simulated of cell.serving) this.#lookAt(simulated, leaders);
    return partitions.map((partition) => this.#viewOf(partition, leaders.get(partition.partition) ?? []));
  }

  /** One partition only; undefined when no broker knows of it any more. */
  lookAt(cell: SimulatedCell, at: TopicPartition): PartitionView | undefined {
    const record = newestImage(cell)?.topics.get(at.topicId)?.partitions[at.partition];
    if (record === undefined) return undefined;
    const leaders = cell.serving.flatMap(({ broker }) => {
      const replica = broker.replicas.replica(at.topicId, at.partition);
      return replica === undefined ? [] : this.#noteReplica(replica);
    });
    return this.#viewOf({ partition: partitionKey(at), voters: record.voters, lost: record.lost }, leaders);
  }

  #viewOf({ partition, voters, lost }: VotersOf, leaders: readonly LeaderView[]): PartitionView {
    const replicas = voters.flatMap((voter) => {
      const view = this.#last.get(`${voter} ${partition}`);
      const isLost = lost.includes(voter) || this.#losses.isSuspect(voter);
      return view === undefined || !this.#rules.mayVote({ lost: isLost }) ? [] : [view];
    });
    return { partition, voters, leaders, replicas };
  }

  #lookAt({ broker }: SimulatedBroker, leaders: Map<string, LeaderView[]>): void {
    for (const replica of broker.replicas.replicas()) {
      const partition = partitionKey(replica.context);
      leaders.set(partition, [...(leaders.get(partition) ?? []), ...this.#noteReplica(replica)]);
    }
  }

  /** Its leadership, if it has one. */
  #noteReplica(replica: Replica): readonly LeaderView[] {
    const view = viewOf(replica);
    this.#last.set(`${view.brokerId} ${partitionKey(replica.context)}`, view);
    const { leader } = replica;
    if (leader === undefined) return [];
    const { epoch, highWatermark, endAtElection } = leader;
    return [{ ...view, epoch, highWatermark, isServing: highWatermark >= endAtElection }];
  }
}

function viewOf(replica: Replica): ReplicaView {
  const { log } = replica;
  return {
    brokerId: replica.context.self,
    acceptedEpoch: replica.acceptedEpoch,
    startOffset: log.startOffset,
    writtenOffset: log.writtenOffset,
    history: log.epochs.entries,
  };
}
