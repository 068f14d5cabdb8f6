/**
 * What a broker checks of the records of one partition in a produce request (version 3 or later), as Kafka 4 does in
 * `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`, by the header alone.
 *
 * Kafka also opens every batch and looks at each record. That is left out but for compacted topics, where every record must
 * have a key (`key-check.ts`): it costs more than all the rest, and a batch that lies inside itself harms only the topic it
 * is written to.
 */
import { CompressionError, type CompressionName, compress, compressionId, decompress } from "./compression.ts";
import { checkKeys } from "./key-check.ts";
import { recordBytesMin, shownErrorsMax } from "./limits.ts";
import {
  batchHeaderBytes,
  batchLengthPrefixBytes,
  batchMagic,
  batchSizeAt,
  noTimestamp,
  RecordBatchView,
} from "./record-batch.ts";

export type RecordsError =
  | "CORRUPT_MESSAGE"
  | "INVALID_RECORD"
  | "INVALID_TIMESTAMP"
  | "MESSAGE_TOO_LARGE"
  | "UNSUPPORTED_COMPRESSION_TYPE";

/** The topic configs that decide; `TopicConfigs` has them all. Milliseconds and bytes. */
export interface ProduceRules {
  readonly maxMessageBytes: number;
  readonly compressionType: CompressionName | "producer";
  readonly compressionGzipLevel?: number;
  readonly compressionLz4Level?: number;
  readonly compressionZstdLevel?: number;
  readonly messageTimestampType: "CreateTime" | "LogAppendTime";
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly cleanupPolicy?: readonly ("delete" | "compact")[];
}

export type ValidatedRecords =
  /** One sound batch. It is the input itself, or a new buffer when the broker had to recompress. */
  | { readonly kind: "valid"; readonly records: Buffer }
  | {
      readonly kind: "failed";
      readonly error: RecordsError;
      readonly message: string;
      /** KIP-467. Where the header is at fault it stands for its records, and is the first. */
      readonly recordErrors?: readonly { readonly batchIndex: number; readonly message: string }[];
    };

type Failure = Extract<ValidatedRecords, { kind: "failed" }>;

/**
 * Checks one partition's records. When the topic says so, gives them the broker's time (in place: attributes, maximum
 * timestamp and CRC) and recompresses them.
 */
export function validateBatches(records: Buffer, rules: ProduceRules, wallMs: number): ValidatedRecords {
  const batch = new RecordBatchView(records);
  const isCompacted = rules.cleanupPolicy?.includes("compact") ?? false;
  const failure =
    checkShape(batch, rules) ??
    checkHeader(batch) ??
    checkTimestamps(batch, rules, wallMs) ??
    (isCompacted ? checkRecords(batch) : undefined);
  if (failure !== undefined) return failure;
  const wanted = rules.compressionType === "producer" ? batch.compression : compressionId(rules.compressionType);
  const isRecompressed = wanted !== batch.compression;
  const stored = isRecompressed ? recompress(batch, wanted, rules) : records;
  if (!Buffer.isBuffer(stored)) return stored;
  batch.moveTo(stored, 0);
  if (rules.messageTimestampType === "LogAppendTime") batch.setLogAppendTime(wallMs);
  else if (isRecompressed) batch.updateCrc();
  return { kind: "valid", records: stored };
}

/** Lengths, magic and checksum: are these the bytes of one batch? */
function checkShape(batch: RecordBatchView, rules: ProduceRules): Failure | undefined {
  const records = batch.buffer;
  if (records.length <= batchLengthPrefixBytes + 4) {
    return failed("INVALID_RECORD", "a produce request must have at least one record batch per partition");
  }
  if (batch.magic !== batchMagic) {
    return failed("INVALID_RECORD", `record batches must have magic 2, not ${batch.magic}`);
  }
  const size = batchSizeAt(records, 0);
  if (size === 0 || size > records.length) return failed("CORRUPT_MESSAGE", "the record batch is not whole");
  if (size < records.length) {
    return failed("INVALID_RECORD", "a produce request must have exactly one record batch per partition");
  }
  if (size > rules.maxMessageBytes) {
    return failed(
      "MESSAGE_TOO_LARGE",
      `the record batch has ${size} bytes, max.message.bytes is ${rules.maxMessageBytes}`,
    );
  }
  return batch.isCrcValid ? undefined : failed("CORRUPT_MESSAGE", "the record batch has a wrong checksum");
}

/** The rules for what a client may write. */
function checkHeader(batch: RecordBatchView): Failure | undefined {
  const count = batch.recordCount;
  if (batch.baseOffset !== 0) return invalid(`the base offset must be 0, not ${batch.baseOffset}`);
  if (batch.lastOffsetDelta < 0 || count <= 0)
    return invalid(`no records: count ${count}, last offset delta ${batch.lastOffsetDelta}`);
  if (batch.lastOffsetDelta !== count - 1) {
    return invalid(`the last offset delta ${batch.lastOffsetDelta} does not fit the count ${count}`);
  }
  if (batch.compression === 0 && count * recordBytesMin > batch.sizeBytes - batchHeaderBytes) {
    return invalid(`${count} records do not fit in ${batch.sizeBytes} bytes`);
  }
  if (batch.isControl) return invalid("clients may not write control batches");
  if (batch.hasDeleteHorizon) return invalid("clients may not set a delete horizon");
  if (batch.hasProducerId && (batch.baseSequence < 0 || batch.producerEpoch < 0)) {
    return invalid(`producer ${batch.producerId} with sequence ${batch.baseSequence}, epoch ${batch.producerEpoch}`);
  }
  if (batch.isTransactional && !batch.hasProducerId) return invalid("a transactional batch without a producer id");
  if (batch.compression > compressionId("zstd")) {
    return failed("UNSUPPORTED_COMPRESSION_TYPE", `compression ${batch.compression} is not known`);
  }
  return undefined;
}

/**
 * Kafka checks each record's time. The header tells the first one's and the largest; a record between the two that is older
 * than the first passes here.
 */
function checkTimestamps(batch: RecordBatchView, rules: ProduceRules, wallMs: number): Failure | undefined {
  if (batch.isLogAppendTime) {
    return wrongTime("producers may not set the timestamp type to LogAppendTime");
  }
  if (rules.messageTimestampType === "LogAppendTime") return undefined;
  const earliest = wallMs - rules.messageTimestampBeforeMaxMs;
  const latest = wallMs + rules.messageTimestampAfterMaxMs;
  for (const timestamp of [batch.baseTimestamp, batch.maxTimestamp]) {
    if (timestamp === noTimestamp || (timestamp >= earliest && timestamp <= latest)) continue;
    return wrongTime(`timestamp ${timestamp} is out of range, it should be within [${earliest}, ${latest}]`);
  }
  return undefined;
}

/** A compacted topic: each record has a key, or compaction would leave it out. */
function checkRecords(batch: RecordBatchView): Failure | undefined {
  const check = checkKeys(batch);
  switch (check.kind) {
    case "keyed":
      return undefined;
    case "damaged":
      return failed("CORRUPT_MESSAGE", check.message);
    case "malformed":
      return recordFailure([{ batchIndex: check.record, message: "not the record that the batch's header tells of" }]);
    case "keyless": {
      const message = "Compacted topic cannot accept message without key.";
      return recordFailure(check.records.map((batchIndex) => ({ batchIndex, message })));
    }
  }
}

/** As Kafka puts it: the first errors in words, all of them by their record. */
function recordFailure(recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]): Failure {
  const first = recordErrors
    .slice(0, shownErrorsMax)
    .map(({ batchIndex, message }) => `record ${batchIndex}: ${message}`);
  const message = `One or more records have been rejected, ${recordErrors.length} in total: ${first.join(" ")}`;
  return { kind: "failed", error: "INVALID_RECORD", message, recordErrors };
}

/** The batch in another codec, its CRC not yet made; the header is otherwise the same. */
function recompress(batch: RecordBatchView, wanted: number, rules: ProduceRules): Buffer | Failure {
  try {
    const records = decompress(batch.compression, batch.records);
    if (batch.recordCount * recordBytesMin > records.length) return invalid("more records than bytes");
    const body = compress(wanted, records, levelOf(wanted, rules));
    const size = batchHeaderBytes + body.length;
    if (size > rules.maxMessageBytes) {
      return failed(
        "MESSAGE_TOO_LARGE",
        `recompressed, the batch has ${size} bytes, max.message.bytes is ${rules.maxMessageBytes}`,
      );
    }
    const bytes = Buffer.allocUnsafeSlow(size);
    batch.buffer.copy(bytes, 0, batch.position, batch.position + batchHeaderBytes);
    body.copy(bytes, batchHeaderBytes);
    bytes.writeInt32BE(size - batchLengthPrefixBytes, 8);
    bytes.writeInt16BE((batch.attributes & ~7) | wanted, 21);
    return bytes;
  } catch (error) {
    if (error instanceof CompressionError) return failed("CORRUPT_MESSAGE", error.message);
    throw error;
  }
}

function levelOf(compression: number, rules: ProduceRules): number | undefined {
  if (compression === compressionId("gzip")) return rules.compressionGzipLevel;
  if (compression === compressionId("zstd")) return rules.compressionZstdLevel;
  return compression === compressionId("lz4") ? rules.compressionLz4Level : undefined;
}

function failed(error: RecordsError, message: string): Failure {
  return { kind: "failed", error, message };
}

function invalid(message: string): Failure {
  return { kind: "failed", error: "INVALID_RECORD", message, recordErrors: [{ batchIndex: 0, message }] };
}

function wrongTime(message: string): Failure {
  return { kind: "failed", error: "INVALID_TIMESTAMP", message, recordErrors: [{ batchIndex: 0, message }] };
}
