import { encodeBatch } from "../../../../shared/kafka/records/record.ts";

/** What a produce request waits for a commit: longer than any machine stands still. */
export const produceTimeoutMs = 60_000;

/** A produce request of one record to the first partition of a topic. */
export function records(value: string | Buffer, acks = -1, name = "t") {
  const batch = encodeBatch({ records: [{ value: Buffer.from(value) }] });
  return { acks, timeoutMs: produceTimeoutMs, topicData: [{ name, partitionData: [{ index: 0, records: batch }] }] };
}

/** A fetch of all records of the first partition of a topic. */
export function fetchAll(name: string, maxWaitMs = 0) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000_000 }];
  return { maxWaitMs, minBytes: 1, topics: [{ topic: name, partitions }] };
}
