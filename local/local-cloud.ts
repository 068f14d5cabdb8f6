/**
 * The whole cloud on one machine: a supervisor of the store process, the broker processes and the router.
 *
 *   claim data ▶ ports ▶ secrets, certificates ▶ store ▶ brokers, and beside them router, lkc-dev, its key and the
 *   provisioning API ▶ control socket
 *   end: control socket ▶ provisioning API ▶ brokers (controlled shutdown) and router ▶ store ▶ the lock on the data
 */
import { randomInt } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Fleet } from "../functions/provisioning/fleet.ts";
import type { ItemStoreConfig, ObjectStoreConfig } from "../shared/broker-config/broker-config.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { LocalApi } from "./api/local-api.ts";
import { brokerConfigFor } from "./broker-config-file.ts";
import { prepareFurtherCell, prepareMetadata } from "./cell-bootstrap.ts";
import type { CellStores } from "./cell-metadata.ts";
import { defaultBrokers, type StartOptions } from "./command-line/start-options.ts";
import { compileAhead } from "./compile-cache.ts";
import { awsRegion, childEnvironment } from "./config.ts";
import type { ControlAnswer, ControlRequest } from "./control/control-protocol.ts";
import { type ControlServer, startControlServer } from "./control/control-server.ts";
import {
  brokerSlot,
  type CellFile,
  cellName,
  claimDataDirectory,
  clearSockets,
  type DataLayout,
  type DataLock,
  dataOption,
  emptyDataDirectory,
  ensureCellSecret,
  readCellFile,
  writePrivateFile,
} from "./data-directory.ts";
import { endLeftovers } from "./leftovers.ts";
import { logFileBytesMax, routerReadyMsMax, routerStopMsMax, storeReadyMsMax, storeStopMsMax } from "./limits.ts";
import { type BrokerPorts, planPorts, type RouterPorts } from "./ports.ts";
import { hostsLine, localDomain, routedBootstrap } from "./routed-names.ts";
import { routerConfigFor } from "./router-config-file.ts";
import type { RunFile } from "./run-file.ts";
import { RunFileKeeper } from "./run-file-keeper.ts";
import { bootstrapOf, type CloudSummary } from "./summary.ts";
import { KeptProcess } from "./supervisor/kept-process.ts";
import { RotatingLog } from "./supervisor/rotating-log.ts";
import { SupervisedBroker } from "./supervisor/supervised-broker.ts";
import { type CertificateFiles, ensureCertificates } from "./tls/certificates.ts";

/** The cloud cannot start; the message is for the person who started it. */
export class StartError extends Error {
  readonly code = "LOCAL_START";
  constructor(message: string) {
    super(message);
    this.name = "StartError";
  }
}

export interface LocalCloudOptions {
  readonly start: StartOptions;
  readonly layout: DataLayout;
  /** Made by `cdk deploy` on an emulator: brokers and router run on it, as the tasks would. */
  readonly base?: DeployedBase;
  /** Something that the person at the terminal should know. */
  readonly say: (message: string) => void;
}

/** What a fleet's stacks made; the AWS endpoint of the start says where. */
export interface DeployedBase {
  /** The cell that its functions place logical clusters in. */
  readonly cell: string;
  readonly metadataTable: string;
  readonly controlTable: string;
  readonly bucket: string;
  /** Its functions answer the provisioning API: none runs here. */
  readonly hasApi: boolean;
}

interface Slot {
  readonly cellIndex: number;
  readonly broker: SupervisedBroker;
  readonly ports: BrokerPorts;
}

const ownMetadataTable = "balafon-metadata";
/** Names in a table of our own for each data directory: unlike logs, the control plane's items carry no cell's name. */
const controlTableOf = (cell: string) => `balafon-control-${cell}`;
const segmentBucket = "balafon-segments";

export class LocalCloud {
  readonly #options: LocalCloudOptions;
  readonly #lock: DataLock;
  #cell: CellFile | undefined;
  #store: KeptProcess | undefined;
  #router: { readonly process: KeptProcess; readonly ports: RouterPorts } | undefined;
  #slots: readonly Slot[] = [];
  #control: ControlServer | undefined;
  #certificates: CertificateFiles | undefined;
  #items: ItemStoreConfig | undefined;
  #objects: ObjectStoreConfig | undefined;
  #controlItems: ItemStoreConfig | undefined;
  #api: LocalApi | undefined;
  #ending = false;
  readonly #runFile: RunFileKeeper;

  /** Takes the data directory. Errors: `DataDirectoryError`. */
  constructor(options: LocalCloudOptions) {
    this.#options = options;
    const { layout, say } = options;
    this.#runFile = new RunFileKeeper({ layout, say, timers: systemTimers, describe: () => this.#describeRun() });
    this.#lock = claimDataDirectory(options.layout);
  }

  /** Whether it was told to end. */
  get ending(): boolean {
    return this.#ending;
  }

  /** Resolves when every broker serves. After a rejection call `end`. */
  async start(): Promise<CloudSummary> {
    const { start, layout } = this.#options;
    await endLeftovers(layout);
    if (start.fresh) emptyDataDirectory(layout);
    clearSockets(layout);
    const cell = this.#settleCell();
    this.#cell = cell;
    const cells = cell.cells ?? 1;
    const plan = await planPorts({ ...start, brokers: cell.brokers * cells });
    if (plan.kind === "refused") throw new StartError(plan.problem);
    ensureCellSecret(layout.cellSecretFile);
    const [certificates] = await Promise.all([
      ensureCertificates(layout.tlsDirectory, Date.now()),
      compileAhead().then(() => this.#startStores(cell)),
    ]);
    this.#certificates = certificates;
    this.#slots = plan.brokers.map((ports, index) =>
      this.#makeSlot({ cellIndex: Math.floor(index / cell.brokers), index: index % cell.brokers }, ports, plan.router),
    );
    const router = this.#makeRouter(plan.router, cells);
    this.#router = { process: router, ports: plan.router };
    const furtherCells = Array.from({ length: cells - 1 }, (_, index) => index + 1);
    const [clientProperties, api] = await Promise.all([
      prepareMetadata({
        stores: this.#stores(0),
        layout,
        certificates,
        start,
        cell,
        bootstrap: this.#bootstrap("tls", 0),
      }),
      this.#startApi(plan.api, cell),
      ...furtherCells.map((index) => prepareFurtherCell(this.#stores(index), cell.brokers, start)),
      ...this.#slots.map(({ broker }) => this.#startBroker(broker)),
      router.start(),
    ]);
    this.#control = await startControlServer(layout.controlSocket, (request) => this.#command(request));
    this.#runFile.write();
    return {
      cell: cell.cell,
      lkc: clientProperties.lkc,
      api: api?.url ?? "",
      apiKey: { id: api?.key.keyId ?? "", secret: api?.key.secret ?? "" },
      apiKeyFile: layout.apiKeyFile,
      brokers: this.#slots.map(({ broker, ports, cellIndex }) => ({
        id: broker.brokerId,
        cell: cellName(cell, cellIndex),
        pid: broker.pid ?? 0,
        port: cellIndex === 0 ? ports.kafka : 0,
        tlsPort: ports.tls,
        adminPort: ports.admin,
      })),
      router: {
        pid: router.pid ?? 0,
        port: plan.router.clients,
        adminPort: plan.router.admin,
        bootstrap: routedBootstrap(clientProperties.lkc, plan.router.clients),
        hostsLine: hostsLine(clientProperties.lkc, this.#firstCell()),
      },
      clientPropertiesFile: layout.clientProperties,
      librdkafkaPropertiesFile: layout.librdkafkaProperties,
      clientProperties: clientProperties.text,
      chosenConfigs: clientProperties.chosenConfigs,
      dataDirectory: layout.directory,
      readyMs: Math.round(performance.now()),
    };
  }

  /** Its brokers have the names of a logical cluster that lives in it. */
  #firstCell(): RunFile["firstCell"] {
    const slots = this.#slots.filter(({ cellIndex }) => cellIndex === 0);
    return slots.map(({ broker }) => ({ id: broker.brokerId, slot: broker.slot }));
  }

  /** Ends everything in order. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#control?.close();
    await this.#api?.close();
    // Together: what runs through the router ends with its broker.
    await Promise.all([this.#router?.process.stop(), ...this.#slots.map(({ broker }) => broker.stop())]);
    await this.#store?.stop();
    this.#leave();
  }

  /** Kills everything at once; what is written is recovered at the next start. */
  forceEnd(): void {
    this.#ending = true;
    void this.#api?.close();
    this.#router?.process.forceEnd();
    for (const { broker } of this.#slots) broker.forceEnd();
    this.#store?.forceEnd();
    this.#leave();
  }

  #leave(): void {
    rmSync(this.#options.layout.runFile, { force: true });
    this.#lock.release();
  }

  /** What was fixed when the data was made, or is fixed now. */
  #settleCell(): CellFile {
    const { start, layout, base } = this.#options;
    const made = readCellFile(layout);
    const brokers = start.brokers ?? made?.brokers ?? defaultBrokers;
    if (made !== undefined && brokers < made.brokers) {
      throw new StartError(
        `the data in ${layout.directory} has ${made.brokers} brokers; with --brokers ${brokers} its partitions would lose replicas: pass --fresh to begin anew`,
      );
    }
    const cells = start.cells ?? made?.cells ?? 1;
    if (made !== undefined && cells < (made.cells ?? 1)) {
      throw new StartError(
        `the data in ${layout.directory} has ${made.cells} cells; with --cells ${cells} some logical clusters would have none: pass --fresh to begin anew`,
      );
    }
    // A name of its own: several data directories may share the tables of one AWS endpoint.
    const cell = {
      cell:
        made?.cell ??
        base?.cell ??
        `local-${randomInt(36 ** 5)
          .toString(36)
          .padStart(5, "0")}`,
      brokers,
      cells,
    };
    writePrivateFile(layout.cellFile, `${JSON.stringify(cell)}\n`);
    return cell;
  }

  async #startApi(port: number, cell: CellFile): Promise<LocalApi | undefined> {
    const { base } = this.#options;
    if (base?.hasApi === true) return undefined;
    const fleet: Fleet = {
      cloud: "AWS",
      region: awsRegion(),
      cells: Array.from({ length: cell.cells ?? 1 }, (_, index) => ({
        cell: cellName(cell, index),
        state: "open",
        kafkaBootstrap:
          base === undefined
            ? this.#bootstrap("tls", index)
            : `{lkc}.${localDomain}:${this.#router?.ports.clients ?? 0}`,
      })),
    };
    const { items } = this.#stores(0);
    this.#api = await LocalApi.start({
      layout: this.#options.layout,
      port,
      fleet,
      items,
      control: this.#controlStore(),
    });
    return this.#api;
  }

  async #startStores(cell: CellFile): Promise<void> {
    const { start, layout, say } = this.#options;
    if (start.awsEndpoint !== undefined) {
      const place = { endpoint: start.awsEndpoint, region: awsRegion() };
      const names = this.#options.base ?? {
        metadataTable: ownMetadataTable,
        controlTable: controlTableOf(cell.cell),
        bucket: segmentBucket,
      };
      this.#items = { kind: "dynamodb", ...place, table: names.metadataTable };
      this.#objects = { kind: "s3", ...place, bucket: names.bucket };
      this.#controlItems = { kind: "dynamodb", ...place, table: names.controlTable };
      if (this.#options.base !== undefined) return;
      const [{ ensureDynamodbTable }, { ensureBucket }] = await Promise.all([
        import("./dynamodb-setup.ts"),
        import("./s3-bucket.ts"),
      ]);
      await Promise.all([
        ensureDynamodbTable({ ...place, table: names.metadataTable, kind: "number" }, systemTimers),
        ensureDynamodbTable({ ...place, table: names.controlTable, kind: "text" }, systemTimers),
        ensureBucket({ ...place, bucket: names.bucket }),
      ]);
      return;
    }
    this.#items = { kind: "socket", path: layout.storeSocket };
    this.#controlItems = { kind: "socket", path: layout.storeSocket };
    this.#objects = { kind: "directory", path: layout.objectsDirectory };
    mkdirSync(layout.storeDirectory, { recursive: true, mode: 0o700 });
    this.#store = new KeptProcess({
      name: "the store",
      readyMsMax: storeReadyMsMax,
      stopMsMax: storeStopMsMax,
      program: {
        file: fileURLToPath(new URL("./store-process.ts", import.meta.url)),
        args: [layout.storeDatabase, layout.controlDatabase, layout.storeSocket, layout.cellSecretFile],
        env: childEnvironment(),
      },
      log: new RotatingLog(layout.storeLog, logFileBytesMax),
      timers: systemTimers,
      say,
    });
    await this.#store.start();
  }

  #controlStore(): ItemStoreConfig {
    if (this.#controlItems === undefined) throw new Error("the stores are not settled yet");
    return this.#controlItems;
  }

  #stores(cellIndex: number): CellStores {
    if (this.#cell === undefined || this.#items === undefined || this.#objects === undefined) {
      throw new Error("the stores are not settled yet");
    }
    const { cellSecretFile } = this.#options.layout;
    return { cell: cellName(this.#cell, cellIndex), cellSecretFile, items: this.#items, objects: this.#objects };
  }

  #makeRouter(ports: RouterPorts, cells: number): KeptProcess {
    const { layout, say } = this.#options;
    const config = routerConfigFor(
      ports,
      Array.from({ length: cells }, (_, index) => this.#stores(index)),
    );
    writePrivateFile(layout.routerConfig, `${JSON.stringify(config, undefined, 2)}\n`);
    return new KeptProcess({
      name: "the router",
      readyMsMax: routerReadyMsMax,
      stopMsMax: routerStopMsMax,
      program: {
        file: fileURLToPath(new URL("../router/main.ts", import.meta.url)),
        args: ["--config", layout.routerConfig],
        env: childEnvironment(),
      },
      log: new RotatingLog(layout.routerLog, logFileBytesMax),
      timers: systemTimers,
      say,
    });
  }

  #makeSlot(
    place: { readonly cellIndex: number; readonly index: number },
    ports: BrokerPorts,
    router: RouterPorts,
  ): Slot {
    const { cellIndex } = place;
    const slot = brokerSlot(cellIndex, place.index);
    const { layout, start, say } = this.#options;
    const folder = layout.broker(slot);
    const certificates = this.#certificates;
    if (certificates === undefined) throw new Error("the certificates are not made yet");
    const config = brokerConfigFor({
      slot,
      cellIndex,
      control: this.#controlStore(),
      ports,
      stores: this.#stores(cellIndex),
      dataDirectory: folder.dataDirectory,
      certificates,
      routerPort: router.clients,
    });
    writePrivateFile(folder.configFile, `${JSON.stringify(config, undefined, 2)}\n`);
    const broker = new SupervisedBroker({
      slot,
      program: {
        file: fileURLToPath(new URL("../broker/main.ts", import.meta.url)),
        args: ["--config", folder.configFile],
        env: childEnvironment(),
      },
      log: new RotatingLog(folder.logFile, logFileBytesMax),
      restartAfterMs: start.restartAfterMs,
      timers: systemTimers,
      say,
      onChange: () => this.#runFile.write(),
      dataOption: dataOption(layout.directory),
    });
    return { broker, ports, cellIndex };
  }

  async #startBroker(broker: SupervisedBroker): Promise<void> {
    const outcome = await broker.start();
    if (outcome.kind === "refused") throw new StartError(outcome.message);
  }

  async #command(request: ControlRequest): Promise<ControlAnswer> {
    const broker = this.#slots.find((slot) => slot.broker.brokerId === request.brokerId)?.broker;
    if (broker === undefined) {
      const ids = this.#slots.map((slot) => slot.broker.brokerId).join(", ");
      return { ok: false, message: `there is no broker ${request.brokerId}; there are ${ids}` };
    }
    const outcome = await broker[request.command]();
    return { ok: outcome.kind === "done", message: outcome.message };
  }

  #bootstrap(listener: "kafka" | "tls", cellIndex: number): string {
    return bootstrapOf(this.#slots.filter((slot) => slot.cellIndex === cellIndex).map(({ ports }) => ports[listener]));
  }

  #describeRun(): RunFile | undefined {
    // Until everything serves there is nothing for the other commands to act on.
    if (this.#control === undefined || this.#ending) return undefined;
    return {
      pid: process.pid,
      ...this.#stores(0),
      controlSocket: this.#options.layout.controlSocket,
      authorityFile: this.#certificates?.authorityFile ?? "",
      bootstrap: this.#bootstrap("kafka", 0),
      secureBootstrap: this.#bootstrap("tls", 0),
      router: {
        pid: this.#router?.process.pid,
        port: this.#router?.ports.clients ?? 0,
        adminPort: this.#router?.ports.admin ?? 0,
      },
      firstCell: this.#firstCell(),
      brokers: this.#slots.map(({ broker, ports }) => ({
        id: broker.brokerId,
        state: broker.paused ? "paused" : broker.state,
        pid: broker.pid,
        port: ports.kafka,
        tlsPort: ports.tls,
        adminPort: ports.admin,
      })),
    };
  }
}
