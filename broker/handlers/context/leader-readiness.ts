import type { Failed, HostedPartition, PartitionOffsets } from "../../partition/partition-contract.ts";
import { leaderReadinessPollMs, leaderReadinessWaitMs } from "../limits.ts";
import type { BrokerServices } from "./broker-services.ts";

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
