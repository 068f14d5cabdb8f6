import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { newApiKey } from "../shared/access/api-key-secret.ts";
import type { ItemStoreConfig, ObjectStoreConfig } from "../shared/broker-config/broker-config.ts";
import { openItemStore, openObjectStore } from "../shared/broker-config/open-stores.ts";
import { decide } from "../shared/metadata/commands/decide.ts";
import type { MetadataCommand, ReplyTo } from "../shared/metadata/commands/metadata-command.ts";
import { MetadataFollower } from "../shared/metadata/follower/metadata-follower.ts";
import type { MetadataImage } from "../shared/metadata/image/metadata-image.ts";
import { systemClock } from "../shared/ports/clock.ts";
import { systemRandom } from "../shared/ports/random.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { formatLogicalClusterId } from "../shared/tenancy/logical-cluster-id.ts";
import type { ClientCredentials } from "./client-files.ts";

export interface CellStores {
  readonly cell: string;
  readonly cellSecretFile: string;
  readonly items: ItemStoreConfig;
  readonly objects: ObjectStoreConfig;
}

/** A change of metadata could not be made; the message is for the person who asked. */
export class CellMetadataError extends Error {
  readonly code = "CELL_METADATA";
  constructor(message: string) {
    super(message);
    this.name = "CellMetadataError";
  }
}

/** Every local cloud is a fleet of one cell. */
export const localCellNumber = 1;

/**
 * The metadata of the local cell, for the supervisor and the admin command: they append by the same commands that the
 * provisioning API will use. Close it when done.
 */
export class CellMetadata {
  readonly #follower: MetadataFollower;
  readonly #closeStore: () => void;

  private constructor(follower: MetadataFollower, closeStore: () => void) {
    this.#follower = follower;
    this.#closeStore = closeStore;
  }

  static async open(stores: CellStores, writer: string): Promise<CellMetadata> {
    const timers = systemTimers;
    const cellSecret = readFileSync(stores.cellSecretFile);
    const itemStore = await openItemStore(stores.items, { cellSecret, timers });
    const objectStore = await openObjectStore(stores.objects, timers);
    const ports = { clock: systemClock, random: systemRandom, timers };
    const follower = new MetadataFollower({ cell: stores.cell, writer, itemStore, objectStore, ...ports });
    const started = await follower.start();
    if (started.kind === "failed") throw new CellMetadataError(`the metadata cannot be read: ${started.message}`);
    const closeStore = () => {
      if ("close" in itemStore && typeof itemStore.close === "function") itemStore.close();
    };
    return new CellMetadata(follower, closeStore);
  }

  get image(): MetadataImage {
    return this.#follower.image;
  }

  close(): void {
    this.#follower.stop();
    this.#closeStore();
  }

  async createCluster(name: string): Promise<string> {
    const lkc = formatLogicalClusterId(systemRandom.bytes(8));
    const reply = await this.#submit({ kind: "create-logical-cluster", lkc, name });
    if (reply.kind === "failed") throw new CellMetadataError(reply.message);
    return lkc;
  }

  async ensureCluster(lkc: string, name: string): Promise<void> {
    const reply = await this.#submit({ kind: "ensure-logical-cluster", lkc, name });
    if (reply.kind === "failed") throw new CellMetadataError(reply.message);
  }

  /** A new key of the logical cluster; its secret is nowhere but in the answer. */
  async createKey(lkc: string): Promise<ClientCredentials> {
    const { keyId, secret, verifier } = newApiKey(systemRandom);
    const reply = await this.#submit({ kind: "create-api-key", lkc, keyId, principal: `User:${keyId}`, verifier });
    if (reply.kind === "failed") throw new CellMetadataError(reply.message);
    return { keyId, secret };
  }

  async deleteKey(lkc: string, keyId: string): Promise<void> {
    const reply = await this.#submit({ kind: "delete-api-key", lkc, keyId });
    if (reply.kind === "failed") throw new CellMetadataError(reply.message);
  }

  /** Sets configs of the cell beside those that it has. Writes nothing when nothing changes. */
  async setConfigs(changes: Readonly<Record<string, string>>): Promise<void> {
    const { cellConfigs } = this.image;
    if (Object.entries(changes).every(([name, value]) => cellConfigs[name] === value)) return;
    const reply = await this.#submit({ kind: "set-cell-configs", configs: { ...cellConfigs, ...changes } });
    if (reply.kind === "failed") throw new CellMetadataError(reply.message);
  }

  async #submit<C extends MetadataCommand>(command: C): Promise<ReplyTo<C>> {
    const context = {
      aliveBrokers: [],
      wallMs: systemClock.wallMs(),
      cellNumber: localCellNumber,
      randomId: () => randomUUID().replaceAll("-", ""),
    };
    const result = await this.#follower.propose((image) => decide(image, command, context));
    if (result.kind === "failed") throw new CellMetadataError(`the change was not made: ${result.message}`);
    return result.reply;
  }
}
