import type { LogConfig } from "../log/log-contract.ts";

/** The topic configs that a partition obeys, parsed from Kafka's names. */
export interface PartitionSettings {
  readonly log: LogConfig;
  readonly minInsyncReplicas: number;
  readonly maxMessageBytes: number;
  readonly timestampType: "CreateTime" | "LogAppendTime";
  /** How far a record's time may lie before and after the broker's, in milliseconds. */
  readonly timestampBeforeMsMax: number;
  readonly timestampAfterMsMax: number;
  /** `producer`: as received; else batches are recompressed with this codec. */
  readonly compressionType: "producer" | "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";
}
