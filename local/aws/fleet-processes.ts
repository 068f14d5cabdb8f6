/** Brokers and router as processes of this machine, where an emulator has tables and a bucket but runs no containers. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ports } from "../../infra/ports.ts";
import { defaultApiPort, defaultBrokers } from "../command-line/start-options.ts";
import { dataLayout, writePrivateFile } from "../data-directory.ts";
import { type DeployedBase, LocalCloud } from "../local-cloud.ts";
import type { ApiAccess } from "./ready-tenant.ts";

export interface FleetProcessesOptions {
  readonly directory: string;
  readonly endpoint: string;
  readonly base: DeployedBase;
  readonly say: (message: string) => void;
}

/** A crashed broker is back before clients give up. */
const restartAfterMs = 3_000;

export class FleetProcesses {
  /** Where clients reach the router. */
  readonly address = "127.0.0.1";
  /** For `npm run broker -- … --data`. */
  readonly directory: string;
  readonly #options: FleetProcessesOptions;
  #cloud: LocalCloud | undefined;

  constructor(options: FleetProcessesOptions) {
    this.#options = options;
    this.directory = path.join(options.directory, "processes");
  }

  /** Errors: `StartError`, `DataDirectoryError`. `ownApi`: the API that runs here, when the base has none. */
  async start(): Promise<{ readonly authorityFile: string; readonly ownApi: ApiAccess | undefined }> {
    const { endpoint, base, say } = this.#options;
    const layout = dataLayout(this.directory);
    const cloud = new LocalCloud({
      start: {
        dataDirectory: layout.directory,
        fresh: this.#isNewBase(),
        brokers: defaultBrokers,
        cells: 1,
        kafkaPort: 0,
        tlsPort: 0,
        adminPort: 0,
        apiPort: base.hasApi ? 0 : defaultApiPort,
        // What the fleet's functions tell clients.
        routerPort: ports.kafka,
        cellConfigs: {},
        restartAfterMs,
        awsEndpoint: endpoint,
        json: false,
      },
      layout,
      base,
      say,
    });
    this.#cloud = cloud;
    const { api, apiKey } = await cloud.start();
    return {
      authorityFile: path.join(layout.tlsDirectory, "ca.pem"),
      ownApi: base.hasApi ? undefined : { url: api, keyId: apiKey.id, secret: apiKey.secret },
    };
  }

  async end(): Promise<void> {
    await this.#cloud?.end();
  }

  /** Brokers' data belongs to one metadata log: another table is another beginning. */
  #isNewBase(): boolean {
    const { directory, base } = this.#options;
    const file = path.join(directory, "base.json");
    const known = existsSync(file) ? readFileSync(file, "utf8") : "";
    const current = JSON.stringify(base);
    writePrivateFile(file, current);
    return known !== current;
  }
}
