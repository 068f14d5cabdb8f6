import { faultKinds } from "./faults/fault-kinds.ts";
import type { Coverage } from "./world/coverage.ts";

/** Paths of the code and outcomes of faults, by the names under which runs count them. */
const requiredPaths = [
  "broker: truncated",
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

/** What a set of runs should have met and never did. */
export function neverOccurred(coverage: Coverage): readonly string[] {
  const required = [...faultKinds.map((kind) => `fault: ${kind}`), ...requiredPaths];
  return required.filter((name) => coverage.of(name) === 0);
}
