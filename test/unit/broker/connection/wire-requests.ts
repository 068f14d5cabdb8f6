import { encodeBatch } from "../../../../shared/kafka/records/record.ts";

/** A produce request of one record to the first partition of a topic. */
export function records(value: string | Buffer, acks = -1, name = "t") {
  const batch = encodeBatch({ records: [{ value: Buffer.from(value) }] });
  return { acks, timeoutMs: 5_000, topicData: [{ name, partitionData: [{ index: 0, records: batch }] }] };
}

/** A fetch of all records of the first partition of a topic. */
export function fetchAll(name: string, maxWaitMs = 0) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000_000 }];
  return { maxWaitMs, minBytes: 1, topics: [{ topic: name, partitions }] };
}
