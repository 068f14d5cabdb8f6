import { existsSync, readFileSync } from "node:fs";
import { type HttpApiHandler, httpApi } from "../../functions/middleware/http-api.ts";
import type { Credentials } from "../../functions/provisioning/authentication.ts";
import type { ControlPlane } from "../../functions/provisioning/control-plane.ts";
import type { Fleet } from "../../functions/provisioning/fleet.ts";
import { graceMsDefault } from "../../functions/provisioning/limits.ts";
import { openControlPlane } from "../../functions/provisioning/open-control-plane.ts";
import { ensureOperatorKey } from "../../functions/provisioning/operator-key.ts";
import { ProvisioningApi } from "../../functions/provisioning/provisioning-api.ts";
import { reconcile } from "../../functions/provisioning/reconcile.ts";
import type { ItemStoreConfig } from "../../shared/broker-config/broker-config.ts";
import { openItemStore, openTextItemStore } from "../../shared/broker-config/open-stores.ts";
import { systemClock } from "../../shared/ports/clock.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { type CancelTimer, systemTimers } from "../../shared/ports/timers.ts";
import { createJsonLogger } from "../../shared/telemetry/logger.ts";
import { type DataLayout, writePrivateFile } from "../data-directory.ts";
import { logFileBytesMax, reconcileIntervalMs } from "../limits.ts";
import { RotatingLog } from "../supervisor/rotating-log.ts";
import { type LocalApiGateway, startApiGateway } from "./api-gateway.ts";

export interface LocalApiOptions {
  readonly layout: DataLayout;
  readonly port: number;
  readonly fleet: Fleet;
  readonly items: ItemStoreConfig;
  readonly control: ItemStoreConfig;
  readonly graceMs?: number;
}

type OnFailure = (event: string, fields: Readonly<Record<string, unknown>>) => void;

/** The provisioning API and its reconciler on this machine: the same handlers as in the Lambdas. */
export class LocalApi {
  readonly url: string;
  /** An operator's cloud key, kept in the data directory. */
  readonly key: Credentials;
  readonly #gateway: LocalApiGateway;
  readonly #plane: ControlPlane;
  readonly #onFailure: OnFailure;
  readonly #closeStores: () => void;
  #cancel: CancelTimer | undefined;
  #closed = false;

  private constructor(parts: {
    gateway: LocalApiGateway;
    plane: ControlPlane;
    key: Credentials;
    onFailure: OnFailure;
    closeStores(): void;
  }) {
    this.url = `http://127.0.0.1:${parts.gateway.port}`;
    this.key = parts.key;
    this.#gateway = parts.gateway;
    this.#plane = parts.plane;
    this.#onFailure = parts.onFailure;
    this.#closeStores = () => parts.closeStores();
    this.#planReconcile();
  }

  static async start(options: LocalApiOptions): Promise<LocalApi> {
    const { layout, fleet } = options;
    const opening = { cellSecret: readFileSync(layout.cellSecretFile), timers: systemTimers };
    const [logItems, controlItems] = await Promise.all([
      openItemStore(options.items, opening),
      openTextItemStore(options.control, opening),
    ]);
    const ports = { clock: systemClock, timers: systemTimers, random: systemRandom };
    const graceMs = options.graceMs ?? graceMsDefault;
    const plane = openControlPlane({ ...ports, controlItems, logItems, fleet, graceMs, writer: "provisioning" });
    const key = await ensureOperatorKey(plane, keptKey(layout), (made) =>
      writePrivateFile(layout.apiKeyFile, `${JSON.stringify({ id: made.keyId, secret: made.secret })}\n`),
    );
    const file = new RotatingLog(layout.apiLog, logFileBytesMax);
    const write = (line: string) => file.write(line);
    const logger = createJsonLogger({ clock: systemClock, level: "info", write }, { function: "provisioning" });
    const api = new ProvisioningApi(plane);
    const handler: HttpApiHandler = httpApi({
      answer: (request) => api.answer(request),
      logger,
      clock: systemClock,
      publicUrl: `http://127.0.0.1:${options.port}`,
    });
    const gateway = await startApiGateway(options.port, handler);
    return new LocalApi({
      gateway,
      plane,
      key,
      onFailure: (event, fields) => logger.warn(event, fields),
      closeStores: () => {
        for (const store of [logItems, controlItems]) {
          if ("close" in store && typeof store.close === "function") store.close();
        }
      },
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#gateway.close();
    this.#closeStores();
  }

  /** As the schedule does in the cloud. */
  #planReconcile(): void {
    this.#cancel = systemTimers.after(reconcileIntervalMs, () => {
      void this.#reconcile().then(() => {
        if (!this.#closed) this.#planReconcile();
      });
    });
  }

  async #reconcile(): Promise<void> {
    try {
      const { failed } = await reconcile(this.#plane);
      for (const { id, error } of failed) this.#onFailure("object-not-settled", { id, error });
    } catch (error) {
      // The store is away, or ends: the next run goes on.
      if (!this.#closed) this.#onFailure("reconcile-failed", { error });
    }
  }
}

function keptKey(layout: DataLayout): Credentials | undefined {
  if (!existsSync(layout.apiKeyFile)) return undefined;
  const { id, secret } = JSON.parse(readFileSync(layout.apiKeyFile, "utf8")) as Partial<{ id: string; secret: string }>;
  return id === undefined || secret === undefined ? undefined : { keyId: id, secret };
}
