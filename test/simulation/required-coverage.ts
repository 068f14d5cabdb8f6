import { faultKinds } from "./faults/fault-kinds.ts";
import type { Coverage } from "./world/coverage.ts";

/** Paths of the code and outcomes of faults, by the names under which runs count them. */
const requiredPaths = [
  "broker: truncated",
  "broker: compacted",
  "broker: copied-anew",
  "broker: leader-elected",
  "broker: recovered",
  "path: catch-up from segments",
  "path: controller change",
  "path: snapshot load",
  "path: metadata log trimmed",
  "log: log-failed",
  "controlled shutdown done",
  "act: only the store away",
  "disk ENOSPC",
  "disk EIO on write",
  "disk EIO on sync",
  "disk call stuck",
  "store throttled",
  "store unavailable",
  "store never answers",
  "store unknown, lost",
  "store unknown, applied",
  "store unknown, applied late",
] as const;

/** What becomes of consumer groups. */
const requiredOfGroups = [
  "group: commit of unknown outcome",
  "group: committed after a failover",
  "group: coordinator loaded tombstones",
  "group: coordinator loaded with groups",
  "group: deleted",
  "group: failover without a rebalance",
  "group: member expired",
  "group: offset expired",
  "group: offset of a topic given up expired",
  "group: offsets deleted",
  "group: rebalanced",
  "group: static member back without a rebalance",
  "group: tenant deleted",
  "group: topic of offsets deleted",
  "member: change-mind",
  "member: crash",
  "member: cut-off",
  "member: leave",
  "member: pause",
] as const;

/** What a set of runs should have met and never did. */
export function neverOccurred(coverage: Coverage): readonly string[] {
  const required = [...faultKinds.map((kind) => `fault: ${kind}`), ...requiredPaths, ...requiredOfGroups];
  return required.filter((name) => coverage.of(name) === 0);
}
