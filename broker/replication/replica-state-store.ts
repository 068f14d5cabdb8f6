import { crc32 } from "node:zlib";
import type { TopicId } from "../../shared/metadata/records/record.ts";
import type { Disk, DiskFile } from "../../shared/ports/disk.ts";

/** What a replica must never forget about elections (DESIGN section 5, Replica state). */
export interface ReplicaState {
  /** It refuses every leader of an older epoch. */
  readonly promisedEpoch: number;
  /** The last epoch whose leader's log it fully matched up to that leader's log end at election; its rank in an election. */
  readonly acceptedEpoch: number;
}

export const initialReplicaState: ReplicaState = { promisedEpoch: 0, acceptedEpoch: 0 };

interface PendingSave {
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** record := topicId(16) partition(i32) promised(i32) accepted(i32) crc32(u32, of the 28 bytes before) */
const recordBytes = 32;
const fileName = "replica-state.log";
/** The journal is rewritten when it holds this many records for each live one (and is not small anyway). */
const compactionFactor = 8;
const compactionRecordsMin = 4_096;
const removedEpoch = -1;

/**
 * Durable replica states of all partitions of a broker, in one journal file: the newest record of a replica counts.
 * All saves of one turn share one write. A save resolves when it is written (it survives the process); `sync` makes it
 * survive a loss of power.
 */
export class ReplicaStateStore {
  readonly #disk: Disk;
  readonly #path: string;
  #file: DiskFile;
  #end: number;
  readonly #states = new Map<string, ReplicaState>();
  #queue: Buffer[] = [];
  #waiting: PendingSave[] = [];
  /** Ends when the queue is empty; undefined while nothing is written. */
  #writing: Promise<void> | undefined;
  #dirty = false;
  /** A write failed and may have left records behind `#end`: cut before the next one, or they would be read as newer ones. */
  #torn = false;

  private constructor(disk: Disk, path: string, file: DiskFile, end: number) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.#end = end;
  }

  /**
   * Reads the journal; what was torn at its end is cut off. Throws when sound records follow a broken one, since then
   * promises would be forgotten, unless the data is `suspect` (after a power cut any page may be missing).
   */
  static async open(disk: Disk, directory: string, options: { readonly suspect: boolean }): Promise<ReplicaStateStore> {
    const path = `${directory}/${fileName}`;
    const content = (await disk.readFile(path)) ?? Buffer.alloc(0);
    const file = await disk.open(path, { create: true });
    const store = new ReplicaStateStore(disk, path, file, 0);
    let at = 0;
    for (; isSound(content, at); at += recordBytes) store.#load(content.subarray(at, at + recordBytes));
    for (let after = at + recordBytes; !options.suspect && after < content.length; after += recordBytes)
      if (isSound(content, after)) throw new Error(`${path}: the record at ${at} is broken, and sound ones follow it`);
    if (at < content.length) await file.truncate(at);
    store.#end = at;
    return store;
  }

  get(topicId: TopicId, partition: number): ReplicaState {
    return this.#states.get(keyOf(topicId, partition)) ?? initialReplicaState;
  }

  /** Resolves once written; rejects with the disk's error, and then the state is not to be acted upon. */
  save(topicId: TopicId, partition: number, state: ReplicaState): Promise<void> {
    this.#states.set(keyOf(topicId, partition), state);
    return this.#enqueue(encode(topicId, partition, state));
  }

  /** Forgets a replica whose log was deleted. */
  remove(topicId: TopicId, partition: number): Promise<void> {
    if (!this.#states.delete(keyOf(topicId, partition))) return Promise.resolve();
    return this.#enqueue(encode(topicId, partition, { promisedEpoch: removedEpoch, acceptedEpoch: removedEpoch }));
  }

  /** Makes everything saved so far survive a loss of power. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const file = this.#file;
    try {
      await file.sync();
    } catch (error) {
      // A new file was synced as a whole.
      if (file !== this.#file) return;
      this.#dirty = true;
      throw error;
    }
  }

  /** After the saves under way. Rejects when they could not be synced. */
  async close(): Promise<void> {
    await this.#writing;
    try {
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  /** Forgets everything: the data directory is another broker's from here on. */
  async clear(): Promise<void> {
    await this.#writing;
    this.#states.clear();
    await this.#compact();
  }

  #load(record: Buffer): void {
    const key = keyOf(record.toString("hex", 0, 16), record.readInt32LE(16));
    const promisedEpoch = record.readInt32LE(20);
    if (promisedEpoch === removedEpoch) this.#states.delete(key);
    else this.#states.set(key, { promisedEpoch, acceptedEpoch: record.readInt32LE(24) });
  }

  #enqueue(record: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      this.#queue.push(record);
      this.#waiting.push({ done, failed });
      this.#writing ??= this.#drain();
    });
  }

  /** Never rejects: each save learns its own outcome. */
  async #drain(): Promise<void> {
    // One microtask turn lets the other saves of this turn join the write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const records = this.#queue;
      const waiting = this.#waiting;
      this.#queue = [];
      this.#waiting = [];
      try {
        await this.#write(records);
        for (const save of waiting) save.done();
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        for (const save of waiting) save.failed(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(records: readonly Buffer[]): Promise<void> {
    const total = this.#end / recordBytes + records.length;
    if (total > Math.max(compactionRecordsMin, compactionFactor * this.#states.size)) {
      await this.#compact();
      return;
    }
    if (this.#torn) await this.#file.truncate(this.#end);
    this.#torn = true;
    await this.#file.write(this.#end, records);
    this.#torn = false;
    this.#end += records.length * recordBytes;
    this.#dirty = true;
  }

  /** `#states` already holds what the queued records say, so the new file holds them too. */
  async #compact(): Promise<void> {
    const records: Buffer[] = [];
    for (const [key, state] of this.#states) {
      const dash = key.indexOf("-");
      records.push(encode(key.slice(0, dash), Number(key.slice(dash + 1)), state));
    }
    const content = Buffer.concat(records);
    await this.#disk.replaceFile(this.#path, content);
    // Until the new file is open every save fails, and tries this again: nothing goes into the old one any more.
    this.#end = Number.MAX_SAFE_INTEGER;
    const replaced = this.#file;
    this.#file = await this.#disk.open(this.#path, { create: false });
    this.#end = content.length;
    this.#torn = false;
    this.#dirty = false;
    await replaced.close().catch(() => undefined);
  }
}

/** Is there a whole record with the right checksum? */
function isSound(content: Buffer, at: number): boolean {
  if (at + recordBytes > content.length) return false;
  return crc32(content.subarray(at, at + 28)) === content.readUInt32LE(at + 28);
}

function keyOf(topicId: TopicId, partition: number): string {
  return `${topicId}-${partition}`;
}

function encode(topicId: TopicId, partition: number, state: ReplicaState): Buffer {
  const record = Buffer.alloc(recordBytes);
  record.write(topicId, 0, 16, "hex");
  record.writeInt32LE(partition, 16);
  record.writeInt32LE(state.promisedEpoch, 20);
  record.writeInt32LE(state.acceptedEpoch, 24);
  record.writeUInt32LE(crc32(record.subarray(0, 28)), 28);
  return record;
}
