import { readFile } from "node:fs/promises";
import type { BrokerConfig, BrokerReadyLine, ListenerConfig } from "../shared/broker-config/broker-config.ts";
import { openItemStore, openObjectStore, openTextItemStore } from "../shared/broker-config/open-stores.ts";
import { ControlStore } from "../shared/control/control-store.ts";
import type { Endpoint } from "../shared/metadata/records/record.ts";
import { systemClock } from "../shared/ports/clock.ts";
import { machineBootId } from "../shared/ports/machine-boot.ts";
import { nodeDisk } from "../shared/ports/node-disk.ts";
import type { PeerTransport } from "../shared/ports/peer-transport.ts";
import { systemRandom } from "../shared/ports/random.ts";
import { openTcpPeerTransport } from "../shared/ports/tcp-peer-transport.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { type NetworkList, readNetworks } from "../shared/proxy-protocol/network-list.ts";
import { type AdminServer, type Health, startAdminServer } from "../shared/telemetry/admin-server.ts";
import { throttleLog } from "../shared/telemetry/log-throttle.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import { type MetricSample, MetricsRegistry } from "../shared/telemetry/metrics-registry.ts";
import { createProcessLogger } from "../shared/telemetry/process-logger.ts";
import { registerProcessMetrics } from "../shared/telemetry/process-metrics.ts";
import { Broker } from "./broker.ts";
import { brokerEventCounter, registerBrokerMetrics, registerDiskMetrics } from "./broker-metrics.ts";
import { CellSecretWatch } from "./cell-secret-watch.ts";
import { readCertificate, watchCertificates } from "./connection/certificate-watch.ts";
import { KafkaServer } from "./connection/kafka-server.ts";
import type { ListenerConfig as ServerListener } from "./connection/listener.ts";
import { LoadReporter, type LoadSample } from "./controller/load-reporter.ts";
import { LogLook } from "./controller/log-look.ts";
import type { BrokerServices } from "./handlers/context/broker-services.ts";
import { drainMsMax } from "./limits.ts";
import { meteredDisk } from "./metered-disk.ts";
import { MeteredItemStore } from "./metered-item-store.ts";
import { soundRules } from "./replication/replication-rules.ts";

/** A broker with its listeners, stores, logs and metrics: what `main.ts` runs. */
export class BrokerProcess {
  readonly #config: BrokerConfig;
  readonly #logger: Logger;
  /** On each line of the log. The id is -1 until the metadata log gave one to new data. */
  readonly #logFields: { broker: number };
  readonly #metrics = new MetricsRegistry();
  #health: Health = { status: "starting" };
  #admin: AdminServer | undefined;
  #broker: Broker | undefined;
  #kafka: KafkaServer | undefined;
  #load: LoadReporter | undefined;
  #endCertificateWatch: (() => void) | undefined;
  #cellSecrets: CellSecretWatch | undefined;

  constructor(config: BrokerConfig) {
    this.#config = config;
    this.#logFields = { broker: config.brokerId };
    this.#logger = createProcessLogger(this.#metrics, this.#logFields);
  }

  /** Resolves when clients are served; rejects with the reason why not (a port that is taken, a foreign directory). */
  async start(): Promise<BrokerReadyLine> {
    const config = this.#config;
    registerProcessMetrics(this.#metrics);
    this.#admin = await startAdminServer({
      ...config.admin,
      renderMetrics: () => this.#metrics.render(),
      health: () => this.#health,
      logger: this.#logger,
    });
    const cellSecret = await readFile(config.cellSecretFile);
    const cellSecrets = await CellSecretWatch.start({
      read: () => readFile(config.cellSecretFile),
      timers: systemTimers,
      logger: this.#logger,
    });
    this.#cellSecrets = cellSecrets;
    const broker = await this.#startBroker(cellSecret, cellSecrets);
    const kafka = new KafkaServer({
      listeners: await Promise.all(config.listeners.map(serverListener)),
      services: this.#services(broker),
    });
    this.#kafka = kafka;
    await kafka.start();
    await this.#startLoadReports(broker, cellSecret);
    this.#endCertificateWatch = watchCertificates(config.listeners, {
      timers: systemTimers,
      logger: this.#logger,
      use: (name, material) => kafka.setTls(name, material),
    });
    this.#health = { status: "ok", details: { brokerId: broker.id } };
    this.#logger.info("serving", { brokerId: broker.id });
    return {
      event: "ready",
      brokerId: broker.id,
      peerPort: config.peer.port,
      adminPort: this.#admin.port,
      listenerPorts: Object.fromEntries(config.listeners.map(({ name }) => [name, kafka.port(name)])),
    };
  }

  /** Hands leadership over, drains the clients, closes everything in order. */
  async stop(): Promise<void> {
    this.#health = { status: "stopping" };
    this.#endCertificateWatch?.();
    this.#cellSecrets?.end();
    if (this.#broker !== undefined) {
      const givenUp = await this.#broker.releaseLeadership();
      this.#logger.info("leadership-released", { givenUp });
    }
    await this.#kafka?.stop(drainMsMax);
    this.#load?.stop();
    await this.#broker?.shutdown();
    await this.#admin?.close();
  }

  metricSamples(): Iterable<MetricSample> {
    return this.#metrics.samples();
  }

  /** Ends the process now: its state can no longer be trusted, what is written is recovered at the next start. */
  die(event: string, error: unknown): never {
    this.#logger.error(event, { error });
    process.exit(1);
  }

  async #startBroker(cellSecret: Buffer, cellSecrets: CellSecretWatch): Promise<Broker> {
    const { items, objects, ...config } = this.#config;
    const broker = new Broker(
      {
        ...config,
        wantedId: config.brokerId,
        bootId: await machineBootId(),
        listeners: Object.fromEntries(config.listeners.map((listener) => [listener.name, advertised(listener)])),
        rules: soundRules,
        onEvent: brokerEventCounter(this.#metrics),
      },
      {
        clock: systemClock,
        timers: systemTimers,
        random: systemRandom,
        disk: meteredDisk(nodeDisk, systemClock, this.#metrics),
        items: new MeteredItemStore(
          await openItemStore(items, { cellSecret, timers: systemTimers }),
          systemClock,
          this.#metrics,
        ),
        objects: await openObjectStore(objects, systemTimers),
        logger: this.#logger,
        openTransport: (brokerId) => this.#openTransport(brokerId, cellSecrets),
      },
    );
    await broker.start();
    this.#broker = broker;
    registerBrokerMetrics(this.#metrics, broker);
    registerDiskMetrics(this.#metrics, nodeDisk, { directory: config.dataDirectory, timers: systemTimers });
    return broker;
  }

  #openTransport(brokerId: number, cellSecrets: CellSecretWatch): Promise<PeerTransport> {
    this.#logFields.broker = brokerId;
    const warn = throttleLog(systemClock, (event, fields) => this.#logger.warn(event, fields));
    return openTcpPeerTransport({
      ...this.#config.peer,
      brokerId,
      secrets: () => cellSecrets.secrets,
      onRefused: (refusal) => {
        this.#metrics.counter("peerConnectionsRefused", { reason: refusal.reason }).add(1);
        warn("peer-refused", { ...refusal });
      },
    });
  }

  async #startLoadReports(broker: Broker, cellSecret: Buffer): Promise<void> {
    const { control, cell } = this.#config;
    if (control === undefined) return;
    const ports = { clock: systemClock, timers: systemTimers, random: systemRandom };
    this.#load = new LoadReporter({
      ...ports,
      cell,
      logger: this.#logger,
      store: new ControlStore(await openTextItemStore(control, { cellSecret, timers: systemTimers }), ports),
      inOffice: () => broker.controller.inOffice,
      image: () => broker.image,
      sample: this.#loadSampler(),
    });
    this.#load.start();
  }

  #loadSampler(): () => LoadSample {
    let loop = performance.eventLoopUtilization();
    let total = 0;
    return () => {
      const now = performance.eventLoopUtilization();
      const busy = performance.eventLoopUtilization(now, loop).utilization;
      const before = total;
      total = this.#metrics.total("produceBytes") + this.#metrics.total("fetchBytes");
      loop = now;
      // A series that was forgotten makes the total fall.
      return { busy, bytes: Math.max(0, total - before) };
    };
  }

  #services(broker: Broker): BrokerServices {
    return {
      brokerId: broker.id,
      image: () => broker.image,
      logLook: new LogLook(() => broker.metadata.follower.refresh(), systemClock, systemTimers),
      submit: (command, timeoutMs) => broker.commands.submit(command, timeoutMs),
      isAlive: (id) => broker.links.isAlive(id),
      controllerId: () => broker.image.controller?.brokerId ?? -1,
      partitions: broker.replicas,
      producerIds: broker.producerIds,
      groups: broker.groups,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      logger: this.#logger,
      metrics: this.#metrics,
    };
  }
}

function advertised(listener: ListenerConfig): Endpoint {
  return { host: listener.advertisedHost, port: listener.advertisedPort };
}

async function serverListener(listener: ListenerConfig): Promise<ServerListener> {
  const { name, host, port } = listener;
  if (listener.protocol === "plaintext") {
    return { name, host, port, security: { kind: "plaintext", lkc: listener.lkc, principal: "User:anonymous" } };
  }
  const { routed, proxyProtocolFrom } = listener;
  const tls = await readCertificate(listener);
  return { name, host, port, security: { kind: "sasl-ssl", tls, routed, proxies: proxiesOf(proxyProtocolFrom) } };
}

function proxiesOf(networks: readonly string[] | undefined): NetworkList | undefined {
  if (networks === undefined || networks.length === 0) return undefined;
  const read = readNetworks(networks);
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  return read.list;
}
