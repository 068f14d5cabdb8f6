import type { BrokerId } from "../shared/metadata/records/record.ts";
import type { Disk } from "../shared/ports/disk.ts";
import { type Random, randomUuid } from "../shared/ports/random.ts";
import type { ReplicationRules } from "./replication/replication-rules.ts";

/** Binds a broker id to the data in its directory (DESIGN section 5, Survival). Kept in `identity.json`. */
export interface Identity {
  readonly cell: string;
  readonly brokerId: BrokerId;
  readonly storageId: string;
}

/** Under which boot of the machine the data was last written, kept in `last-run.json`. */
interface LastRun {
  readonly bootId: string;
  readonly cleanShutdown: boolean;
  /** The data may not have survived, and was not registered so, or its logs were not all recovered yet. */
  readonly suspect: boolean;
  /** A sync failed since the machine started: what is only in the page cache cannot be told, by this process or the next. */
  readonly unsynced?: boolean;
}

export interface OpenedIdentity {
  readonly identity: Identity;
  /** Acknowledgements and promises given on this data may be missing from it. */
  readonly suspect: boolean;
}

const identityFile = "identity.json";
const lastRunFile = "last-run.json";

/** Reads and writes who a data directory belongs to, and whether it can be trusted. */
export class IdentityStore {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #bootId: string;
  readonly #random: Random;
  /** As it was written last. */
  #run: Omit<LastRun, "bootId"> = { cleanShutdown: false, suspect: false };

  constructor(disk: Disk, directory: string, bootId: string, random: Random) {
    this.#disk = disk;
    this.#directory = directory;
    this.#bootId = bootId;
    this.#random = random;
  }

  /**
   * The directory's identity, made now if it has none. From here on the run counts as unclean until `markClean`.
   * Throws when the directory belongs to another cell.
   */
  async open(cell: string, wantedId: BrokerId, rules: Pick<ReplicationRules, "dataSurvived">): Promise<OpenedIdentity> {
    const known = await this.#read<Identity>(identityFile);
    if (known !== undefined && known.cell !== cell)
      throw new Error(`the data directory belongs to cell ${known.cell}, not to ${cell}`);
    const lastRun = await this.#read<LastRun>(lastRunFile);
    const survived =
      known === undefined ||
      lastRun === undefined ||
      (!lastRun.suspect &&
        rules.dataSurvived({
          sameStorage: true,
          sameBoot: lastRun.bootId === this.#bootId,
          cleanShutdown: lastRun.cleanShutdown,
        }));
    const identity = known ?? { cell, brokerId: wantedId, storageId: randomUuid(this.#random) };
    if (known === undefined) await this.#write(identityFile, identity);
    const unsynced = lastRun?.unsynced === true && lastRun.bootId === this.#bootId;
    await this.#writeLastRun({ cleanShutdown: false, suspect: !survived, unsynced });
    return { identity, suspect: !survived };
  }

  /** The data starts anew under another id: a new storage id, trusted again since it holds nothing that was promised. */
  async rebind(cell: string, brokerId: BrokerId): Promise<Identity> {
    const identity: Identity = { cell, brokerId, storageId: randomUuid(this.#random) };
    await this.#write(identityFile, identity);
    await this.#writeLastRun({ cleanShutdown: false, suspect: false });
    return identity;
  }

  /** The metadata log gave this data its broker id. */
  async adopt(identity: Identity): Promise<Identity> {
    await this.#write(identityFile, identity);
    return identity;
  }

  /** The metadata log knows that the data is suspect, and what is left of it was read and mended. */
  async markRecovered(): Promise<void> {
    await this.#writeLastRun({ ...this.#run, suspect: false });
  }

  /** A file could not be synced: from here on no run counts as clean until the machine was started anew. */
  async markUnsynced(): Promise<void> {
    if (this.#run.unsynced !== true) await this.#writeLastRun({ ...this.#run, cleanShutdown: false, unsynced: true });
  }

  /** Everything was synced and closed. Answers false, and leaves no mark, when a sync failed earlier. */
  async markClean(): Promise<boolean> {
    if (this.#run.unsynced === true) return false;
    await this.#writeLastRun({ cleanShutdown: true, suspect: false });
    return true;
  }

  #writeLastRun(run: Omit<LastRun, "bootId">): Promise<void> {
    this.#run = run;
    return this.#write(lastRunFile, { bootId: this.#bootId, ...run });
  }

  async #read<T>(name: string): Promise<T | undefined> {
    const content = await this.#disk.readFile(`${this.#directory}/${name}`);
    if (content === undefined) return undefined;
    try {
      return JSON.parse(content.toString("utf8")) as T;
    } catch (cause) {
      throw new Error(
        `${name} in the data directory is not readable; it is written in one step, so the disk is at fault`,
        {
          cause,
        },
      );
    }
  }

  #write(name: string, value: unknown): Promise<void> {
    return this.#disk.replaceFile(`${this.#directory}/${name}`, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
  }
}
