import { type MetricDefinition, noLabels } from "./metric-definition.ts";

/** Compaction of logs with cleanup.policy=compact. */
export const compactionMetrics = {
  compactionBytesRead: {
    name: "balafon_compaction_read_bytes_total",
    kind: "counter",
    unit: "bytes",
    labels: noLabels,
    help: "Bytes of segment files read by compaction.",
  },
  compactionBytesWritten: {
    name: "balafon_compaction_written_bytes_total",
    kind: "counter",
    unit: "bytes",
    labels: noLabels,
    help: "Bytes of segment files written by compaction.",
  },
  compactionRuns: {
    name: "balafon_compaction_runs_total",
    kind: "counter",
    unit: "events",
    labels: ["outcome"],
    help: "Passes of compaction over one log that ended by themselves, by outcome: done, failed.",
  },
  compactionRecordsRemoved: {
    name: "balafon_compaction_removed_records_total",
    kind: "counter",
    unit: "records",
    labels: noLabels,
    help: "Records that compaction left out: replaced by newer ones, or tombstones whose time was over.",
  },
  compactionDirtyRatio: {
    name: "balafon_compaction_dirty_ratio",
    kind: "gauge",
    unit: "ratio",
    labels: noLabels,
    help: "Largest share of bytes not compacted yet among the compacted logs here; near 1 for long, compaction does not keep up.",
  },
  compactionLastRun: {
    name: "balafon_compaction_last_run_seconds",
    kind: "gauge",
    unit: "seconds",
    labels: noLabels,
    help: "How long the last pass over one log took.",
  },
  compactionMapUse: {
    name: "balafon_compaction_map_ratio",
    kind: "gauge",
    unit: "ratio",
    labels: noLabels,
    help: "Share of its map of keys that the last pass used; at 1 it needs several passes, log.cleaner.dedupe.buffer.size is small.",
  },
  compactionCopies: {
    name: "balafon_compaction_copied_anew_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Times a follower threw its log away and copied it anew, because it had missed tombstones that are gone by now.",
  },
} as const satisfies Record<string, MetricDefinition>;
