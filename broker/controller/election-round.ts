import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, LeaderEpoch, MetadataSeq, PartitionState } from "../../shared/metadata/records/record.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { isQuorum } from "../replication/quorum.ts";
import type { ReplicationRules } from "../replication/replication-rules.ts";
import type { CellView } from "./cell-view.ts";
import {
  type Choice,
  chooseLeader,
  electedState,
  electionEpoch,
  electionsIntended,
  type PartitionKey,
  partitionsUpserted,
  type SealedAnswer,
  sealTargets,
} from "./election-core.ts";
import { sealGraceMs, sealTimeoutMs } from "./limits.ts";
import type { MetadataAccess } from "./metadata-access.ts";

export interface ElectionOrder extends PartitionKey {
  readonly preferred: BrokerId | undefined;
  /** Set when it may be decided without a majority of surviving voters. */
  readonly recover: { readonly waited: boolean } | undefined;
}

export interface SealOrder extends PartitionKey {
  readonly epoch: LeaderEpoch;
}

/** Per partition of the order, in its order: what the replica answered, or undefined when it did not or refused. */
export type SealReply = readonly (Omit<SealedAnswer, "broker"> | undefined)[];

export interface SealCaller {
  /** One call a broker for all its partitions; it waits until it has read the log up to `seq`. Never rejects. */
  seal(broker: BrokerId, seq: MetadataSeq, orders: readonly SealOrder[], timeoutMs: number): Promise<SealReply>;
}

export interface ElectionRoundPorts {
  readonly timers: Timers;
  readonly metadata: MetadataAccess;
  readonly rules: ReplicationRules;
  readonly sealer: SealCaller;
  readonly view: CellView;
  isInOffice(): boolean;
}

/** One partition of the round; `record` is the one under which all evidence is gathered. */
interface Candidate extends ElectionOrder {
  readonly record: PartitionState;
  readonly answers: SealedAnswer[];
}

export interface Elected {
  readonly key: PartitionKey;
  readonly choice: Choice;
}

/**
 * One pass of failover over many partitions: the intents into the log, one seal call a broker, then the new leaders into
 * the log. Answers gathered under a record that was replaced meanwhile are void: the partition waits for a next round.
 */
export class ElectionRound {
  readonly #ports: ElectionRoundPorts;

  constructor(ports: ElectionRoundPorts) {
    this.#ports = ports;
  }

  async run(orders: readonly ElectionOrder[]): Promise<readonly Elected[]> {
    const { metadata } = this.#ports;
    const intended = await metadata.propose((image) => {
      if (!this.#ports.isInOffice()) return { records: [], reply: false };
      return { records: electionsIntended(withRecords(image, orders)), reply: true };
    });
    if (intended.kind !== "done" || !intended.reply) return [];
    // Nobody is sealed for an epoch that is not intended in the log.
    const candidates: Candidate[] = withRecords(metadata.image, orders)
      .filter(({ record }) => record.intendedEpoch > record.leaderEpoch)
      .map((order) => ({ ...order, answers: [] }));
    if (candidates.length === 0) return [];
    // Answers belong to the record as it is now: who answers has read the log as far as this broker has.
    await this.#gather(candidates, metadata.image.seq);
    return this.#elect(candidates);
  }

  /** Resolves when everybody alive answered, or a quorum did everywhere and the grace is over, or the time is out. */
  #gather(candidates: readonly Candidate[], seq: MetadataSeq): Promise<void> {
    const { timers, view, sealer } = this.#ports;
    const byBroker = new Map<BrokerId, Candidate[]>();
    for (const candidate of candidates) {
      for (const broker of sealTargets(candidate.record)) {
        if (!view.isAlive(broker)) continue;
        const list = byBroker.get(broker) ?? [];
        byBroker.set(broker, list);
        list.push(candidate);
      }
    }
    return new Promise((resolve) => {
      let waiting = byBroker.size;
      let cancelGrace: (() => void) | undefined;
      const cancelTimeout = timers.after(sealTimeoutMs, () => finish());
      const finish = () => {
        cancelTimeout();
        cancelGrace?.();
        resolve();
      };
      if (waiting === 0) finish();
      for (const [broker, list] of byBroker) {
        const orders = list.map(({ topicId, partition, record }) => ({
          topicId,
          partition,
          epoch: electionEpoch(record),
        }));
        void sealer.seal(broker, seq, orders, sealTimeoutMs).then((reply) => {
          list.forEach((candidate, place) => {
            const answer = reply[place];
            if (answer !== undefined) candidate.answers.push({ ...answer, broker });
          });
          waiting--;
          if (waiting === 0) finish();
          else if (cancelGrace === undefined && candidates.every(hasQuorum))
            cancelGrace = timers.after(sealGraceMs, finish);
        });
      }
    });
  }

  async #elect(candidates: readonly Candidate[]): Promise<readonly Elected[]> {
    const { metadata, rules, view } = this.#ports;
    const choices = candidates.flatMap((candidate) => {
      const choice = chooseLeader(candidate.record, candidate.answers.slice(), {
        rules,
        view,
        preferred: candidate.preferred,
        recover: candidate.recover,
      });
      return choice === undefined ? [] : [{ candidate, choice }];
    });
    if (choices.length === 0) return [];
    const result = await metadata.propose((image) => {
      const valid = choices.filter(({ candidate }) => {
        const record = image.topics.get(candidate.topicId)?.partitions[candidate.partition];
        return record?.partitionEpoch === candidate.record.partitionEpoch;
      });
      const changes = valid.map(({ candidate, choice }) => ({
        topicId: candidate.topicId,
        partition: candidate.partition,
        state: electedState(candidate.record, choice),
      }));
      return { records: partitionsUpserted(changes), reply: valid };
    });
    if (result.kind !== "done") return [];
    return result.reply.map(({ candidate, choice }) => ({
      key: { topicId: candidate.topicId, partition: candidate.partition },
      choice,
    }));
  }
}

function hasQuorum(candidate: Candidate): boolean {
  return isQuorum(candidate.record, (broker) =>
    candidate.answers.some((answer) => answer.broker === broker && !answer.lost),
  );
}

function withRecords(
  image: MetadataImage,
  orders: readonly ElectionOrder[],
): (ElectionOrder & { readonly record: PartitionState })[] {
  return orders.flatMap((order) => {
    const record = image.topics.get(order.topicId)?.partitions[order.partition];
    return record === undefined ? [] : [{ ...order, record }];
  });
}
