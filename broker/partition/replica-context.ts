import type { BrokerId, PartitionEpoch, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { AckEntry } from "../peer/peer-messages.ts";
import type { ReplicaState } from "../replication/replica-state-store.ts";
import type { ReplicationRules } from "../replication/replication-rules.ts";

/** What a broker needs a controller to know about a replica that it hosts. Repeated while it holds. */
export interface ReplicaReport {
  readonly topicId: TopicId;
  readonly partition: number;
  /** The record of the partition under which this was observed: a newer one makes it void. */
  readonly partitionEpoch: PartitionEpoch;
  /**
   * `cannot-lead`: the record names this replica, and it does not lead (restarted, sealed, its log failed).
   * `refused`: it leads, but a voter has promised a newer epoch.
   * `recovered`: voters in `brokers` lost their data and hold the leader's whole log again.
   */
  readonly reason: "cannot-lead" | "refused" | "recovered";
  readonly brokers: readonly BrokerId[];
}

/** Whoever receives what comes back on a stream that it opened. */
export interface StreamOwner {
  onAck(link: PeerLink, entry: AckEntry): void;
  onAttached(link: PeerLink, streamNumber: number, endOffset: number): void;
  onRefused(link: PeerLink, streamNumber: number, promisedEpoch: number): void;
}

/** What a replica may use of the broker around it. */
export interface ReplicaContext {
  readonly self: BrokerId;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly rules: ReplicationRules;
  readonly links: {
    link(id: BrokerId): PeerLink | undefined;
    isAlive(id: BrokerId): boolean;
  };
  saveState(state: ReplicaState): Promise<void>;
  /** Answers to this stream number on this link go to the owner, until the link closes. */
  routeStream(link: PeerLink, streamNumber: number, owner: StreamOwner): void;
  unrouteStream(link: PeerLink, streamNumber: number): void;
  /** The replica may have something to report: ask it (`report`) soon, and again while it does. */
  attention(): void;
  /** The high watermark moved: followers are to hear of it within highWatermarkIntervalMs. */
  highWatermarkMoved(): void;
  /** The log is cut because it departs from the leader's; for the log line and the metric. */
  onTruncated(from: number, to: number): void;
  /** The log is copied anew because compaction has parted it from the leader's; for the log line and the metric. */
  onRestarted(end: number, reason: "tombstones" | "compacted"): void;
  /** A follower acknowledged a log start: a DeleteRecords may be done. */
  onLogStartHeld(): void;
}
