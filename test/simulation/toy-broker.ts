/**
 * A toy broker: one process that leads every partition, keeps its log in memory and commits a little after it appends.
 * It exists to show that the workload and the checkers notice what they are there to notice; `bug` makes it misbehave.
 */
import type {
  AppendResult,
  HostedPartition,
  PartitionError,
  PartitionOffsets,
} from "../../broker/partition/partition-contract.ts";
import { RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import { ImageState } from "../../shared/metadata/image/image-state.ts";
import { kafkaListener, kafkaPort, type ServedBroker, simulatedLkc } from "./workload/kafka-server.ts";
import type { SimProcess } from "./world/sim-process.ts";
import { machineHost } from "./world/sim-transport.ts";

export type ToyBug = "none" | "loses-acknowledged" | "appends-twice" | "high-watermark-falls" | "swaps-records";

const commitMs = 3;
const topicId = "0123456789abcdef0123456789abcdef";

export function toyBroker(process: SimProcess, partitions: number, bug: ToyBug): ServedBroker {
  const image = ImageState.empty("toy");
  const hosted = Array.from({ length: partitions }, (_, partition) => new ToyPartition(process, partition, bug));
  image.brokers.set(process.machineId, {
    type: "broker-registered",
    brokerId: process.machineId,
    storageId: "toy",
    incarnationId: "toy",
    zone: "z",
    peer: { host: machineHost(process.machineId), port: 1 },
    listeners: { [kafkaListener]: { host: machineHost(process.machineId), port: kafkaPort } },
    featureLevelMax: 1,
    suspect: false,
  });
  image.setTopic({
    topicId,
    lkc: simulatedLkc,
    name: "toy",
    createdMs: 0,
    configs: {},
    partitions: hosted.map(({ partition }) => ({
      partition,
      partitionEpoch: 1,
      voters: [process.machineId],
      outgoing: [],
      learners: [],
      lost: [],
      leader: process.machineId,
      leaderEpoch: 1,
      intendedEpoch: 1,
      logStartOffset: 0,
    })),
  });
  return {
    partitions: { find: (id, partition) => (id === topicId ? hosted[partition] : undefined) },
    image: () => image,
    administer: () => Promise.resolve("the toy has one topic"),
  };
}

class ToyPartition implements HostedPartition {
  readonly topicId = topicId;
  readonly partition: number;
  readonly leaderEpoch = 1;
  readonly obstacle = undefined;
  readonly #process: SimProcess;
  readonly #bug: ToyBug;
  readonly #watchers = new Set<() => void>();
  #batches: Buffer[] = [];
  #endOffset = 0;
  #highWatermark = 0;
  #appends = 0;

  constructor(process: SimProcess, partition: number, bug: ToyBug) {
    this.#process = process;
    this.partition = partition;
    this.#bug = bug;
  }

  append(records: Buffer): AppendResult {
    this.#appends += 1;
    const isUnlucky = this.#appends % 10 === 0;
    const baseOffset = this.#store(records, isUnlucky);
    if (isUnlucky && this.#bug === "appends-twice") this.#store(Buffer.from(records), false);
    const endOffset = this.#endOffset;
    this.#process.timers.after(commitMs, () => this.#commit(endOffset));
    return { kind: "appended", baseOffset, endOffset, logAppendTimeMs: -1, logStartOffset: 0 };
  }

  #store(records: Buffer, isUnlucky: boolean): number {
    const view = new RecordBatchView(records);
    const baseOffset = this.#endOffset;
    view.baseOffset = baseOffset;
    view.partitionLeaderEpoch = 1;
    this.#endOffset = view.endOffset;
    if (isUnlucky && this.#bug === "loses-acknowledged") this.#endOffset = baseOffset;
    else this.#batches.push(records);
    if (isUnlucky && this.#bug === "swaps-records") this.#swapLast();
    return baseOffset;
  }

  #swapLast(): void {
    const [one, two] = this.#batches.splice(-2).map((batch) => new RecordBatchView(batch));
    if (one === undefined || two === undefined) return;
    two.baseOffset = one.baseOffset;
    one.baseOffset = two.endOffset;
    this.#batches.push(two.buffer, one.buffer);
  }

  #commit(endOffset: number): void {
    this.#highWatermark = Math.max(this.#highWatermark, Math.min(endOffset, this.#endOffset));
    if (this.#bug === "high-watermark-falls" && this.#appends % 10 === 0)
      this.#highWatermark = Math.max(0, this.#highWatermark - 8);
    for (const watcher of [...this.#watchers]) watcher();
  }

  whenCommitted(endOffset: number, done: (error: PartitionError | undefined) => void): () => void {
    const check = (): void => {
      if (this.#highWatermark < endOffset && this.#bug === "none") return;
      this.#watchers.delete(check);
      done(undefined);
    };
    this.#watchers.add(check);
    return () => this.#watchers.delete(check);
  }

  offsets(): PartitionOffsets {
    const highWatermark = this.#highWatermark;
    return { logStartOffset: 0, highWatermark, lastStableOffset: highWatermark, leaderEpoch: 1 };
  }

  read(offset: number): readonly Buffer[] {
    return this.#batches.filter((batch) => {
      const view = new RecordBatchView(batch);
      return view.endOffset > offset && view.endOffset <= this.#highWatermark;
    });
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return { epoch, endOffset: this.#endOffset };
  }

  offsetForTimestamp(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  offsetOfMaxTimestamp(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  deleteRecords(): Promise<{ readonly kind: "failed"; readonly error: PartitionError }> {
    return Promise.resolve({ kind: "failed", error: "POLICY_VIOLATION" });
  }

  inSyncReplicas(): readonly number[] {
    return [this.#process.machineId];
  }

  get sizeBytes(): number {
    return 0;
  }
}
