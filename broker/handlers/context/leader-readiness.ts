import type { TopicId } from "../../../shared/metadata/records/record.ts";
import type { Failed, HostedPartition, PartitionOffsets } from "../../partition/partition-contract.ts";
import { leaderReadinessPollMs, leaderReadinessWaitMs } from "../limits.ts";
import type { BrokerServices } from "./broker-services.ts";

/**
 * Resolves when a leadership that this broker was given a moment ago has begun, or will not; undefined when there is none
 * to wait for. Metadata names the leader of a new partition before that broker has opened its log.
 */
export function leadershipBegins(
  { partitions, clock, timers }: Pick<BrokerServices, "partitions" | "clock" | "timers">,
  topicId: TopicId,
  index: number,
): Promise<void> | undefined {
  const appointment = partitions.appointment(topicId, index);
  if (appointment === undefined) return undefined;
  // Counted from its beginning: all who wait give up together, and none after them is taken before it leads.
  const leftMs = appointment.sinceMs + leaderReadinessWaitMs - clock.monotonicMs();
  if (leftMs <= 0) return undefined;
  return new Promise((resolve) => {
    const withdraw = appointment.whenSettled(() => {
      cancel();
      resolve();
    });
    const cancel = timers.after(leftMs, () => {
      withdraw();
      resolve();
    });
  });
}

/**
 * The offsets of a leader that may not answer yet: one that took office a moment ago, until a majority of its followers
 * has followed it. Not every client asks again by itself, as Kafka's own does.
 */
export function offsetsWhenReady(
  services: Pick<BrokerServices, "clock" | "timers">,
  hosted: HostedPartition,
  currentLeaderEpoch: number,
): Promise<PartitionOffsets | Failed> {
  const deadlineMs = services.clock.monotonicMs() + leaderReadinessWaitMs;
  return new Promise((resolve) => {
    const look = () => {
      const offsets = hosted.offsets(currentLeaderEpoch);
      const notYet = "kind" in offsets && offsets.error === "OFFSET_NOT_AVAILABLE";
      if (notYet && services.clock.monotonicMs() < deadlineMs) services.timers.after(leaderReadinessPollMs, look);
      else resolve(offsets);
    };
    look();
  });
}
