/**
 * What Java consumers tell their group and get from it: ConsumerProtocolSubscription and ConsumerProtocolAssignment v3, of
 * one topic.
 *
 *   subscription := int16 version, topics: string[], userData: bytes?, owned: (topic string, int32[])[],
 *                   int32 generation, string? rack
 *   assignment   := int16 version, assigned: (topic string, int32[])[], userData: bytes?
 */
const version = 3;
/** What the cooperative assignor puts into its user data: the generation. */
const userDataBytes = 4;

export interface Subscription {
  readonly topic: string;
  readonly owned: readonly number[];
  readonly generationId: number;
  readonly withUserData: boolean;
}

export function encodeSubscription({ topic, owned, generationId, withUserData }: Subscription): Buffer {
  return Buffer.concat([
    int16(version),
    int32(1),
    string(topic),
    withUserData ? Buffer.concat([int32(userDataBytes), int32(generationId)]) : int32(-1),
    topicPartitions(topic, owned),
    int32(generationId),
    int16(-1),
  ]);
}

/** The owned partitions. */
export function decodeOwned(subscription: Buffer): number[] {
  let at = 6;
  at += 2 + subscription.readInt16BE(at);
  at += 4 + Math.max(0, subscription.readInt32BE(at));
  return decodePartitions(subscription, at);
}

export function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  return Buffer.concat([int16(version), topicPartitions(topic, partitions), int32(-1)]);
}

export function decodeAssignment(assignment: Buffer): number[] {
  return decodePartitions(assignment, 2);
}

function topicPartitions(topic: string, partitions: readonly number[]): Buffer {
  if (partitions.length === 0) return int32(0);
  const list = Buffer.alloc(4 + 4 * partitions.length);
  list.writeInt32BE(partitions.length, 0);
  for (const [index, partition] of partitions.entries()) list.writeInt32BE(partition, 4 + 4 * index);
  return Buffer.concat([int32(1), string(topic), list]);
}

function decodePartitions(bytes: Buffer, start: number): number[] {
  if (bytes.readInt32BE(start) === 0) return [];
  const at = start + 6 + bytes.readInt16BE(start + 4);
  return Array.from({ length: bytes.readInt32BE(at) }, (_, index) => bytes.readInt32BE(at + 4 + 4 * index));
}

function int16(value: number): Buffer {
  const encoded = Buffer.alloc(2);
  encoded.writeInt16BE(value);
  return encoded;
}

function int32(value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeInt32BE(value);
  return encoded;
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
}
