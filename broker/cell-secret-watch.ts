import { type CellSecrets, parseCellSecrets } from "../shared/access/cell-secrets.ts";
import type { CancelTimer, Timers } from "../shared/ports/timers.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import { cellSecretCheckMs } from "./limits.ts";

export interface CellSecretWatchPorts {
  /** The content of the file. */
  readonly read: () => Promise<Buffer>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * The cell's secrets, read again every `cellSecretCheckMs`, so that one is exchanged for another without a restart. A file
 * that cannot be read, or is of no use, changes nothing. Links that are open stay: secrets count when a link is made.
 */
export class CellSecretWatch {
  readonly #ports: CellSecretWatchPorts;
  #content: Buffer;
  #secrets: CellSecrets;
  #cancel: CancelTimer = () => undefined;
  #ended = false;

  private constructor(ports: CellSecretWatchPorts, content: Buffer) {
    this.#ports = ports;
    this.#content = content;
    this.#secrets = parseCellSecrets(content);
    this.#plan();
  }

  /** Rejects when there is no secret to begin with. */
  static async start(ports: CellSecretWatchPorts): Promise<CellSecretWatch> {
    return new CellSecretWatch(ports, await ports.read());
  }

  get secrets(): CellSecrets {
    return this.#secrets;
  }

  end(): void {
    this.#ended = true;
    this.#cancel();
  }

  #plan(): void {
    if (this.#ended) return;
    this.#cancel = this.#ports.timers.after(cellSecretCheckMs, () => void this.#look().then(() => this.#plan()));
  }

  async #look(): Promise<void> {
    const { read, logger } = this.#ports;
    try {
      const content = await read();
      if (content.equals(this.#content)) return;
      this.#secrets = parseCellSecrets(content);
      this.#content = content;
      logger.info("cell-secret-changed", { believed: this.#secrets.length });
    } catch (error) {
      logger.warn("cell-secret-not-changed", { error });
    }
  }
}
