import { readFile } from "node:fs/promises";
import { openItemStore, openObjectStore } from "../shared/broker-config/open-stores.ts";
import { systemClock } from "../shared/ports/clock.ts";
import { systemRandom } from "../shared/ports/random.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { readNetworks } from "../shared/proxy-protocol/network-list.ts";
import { type AdminServer, type Health, startAdminServer } from "../shared/telemetry/admin-server.ts";
import { createJsonLogger, type Logger } from "../shared/telemetry/logger.ts";
import { type MetricSample, MetricsRegistry } from "../shared/telemetry/metrics-registry.ts";
import { registerProcessMetrics } from "../shared/telemetry/process-metrics.ts";
import { lookAtBroker } from "./broker-probe.ts";
import { BrokerWatch } from "./broker-watch.ts";
import { CellLogs } from "./cell-logs.ts";
import type { CellLogConfig, RouterConfig, RouterReadyLine } from "./router-config.ts";
import { RouterServer } from "./router-server.ts";
import { brokersOf, leadsNothing, type RoutedBroker, route } from "./routing-table-core.ts";

/** A router with its listener, logs of cells, health and metrics: what `main.ts` runs. */
export class RouterProcess {
  readonly #config: RouterConfig;
  readonly #logger: Logger;
  readonly #metrics = new MetricsRegistry();
  #status: Health["status"] = "starting";
  readonly #servers: AdminServer[] = [];
  #logs: CellLogs | undefined;
  #watch: BrokerWatch | undefined;
  #server: RouterServer | undefined;

  constructor(config: RouterConfig) {
    this.#config = config;
    const lines = {
      debug: this.#metrics.counter("logLines", { level: "debug" }),
      info: this.#metrics.counter("logLines", { level: "info" }),
      warn: this.#metrics.counter("logLines", { level: "warn" }),
      error: this.#metrics.counter("logLines", { level: "error" }),
    };
    this.#logger = createJsonLogger(
      {
        clock: systemClock,
        level: "info",
        write: (line) => process.stderr.write(line),
        onLine: (level) => lines[level].add(1),
      },
      { router: config.zone },
    );
  }

  metricSamples(): Iterable<MetricSample> {
    return this.#metrics.samples();
  }

  /** Resolves when clients are served: all logs were read once. */
  async start(): Promise<RouterReadyLine> {
    const { health, admin } = this.#config;
    registerProcessMetrics(this.#metrics);
    const common = { health: () => this.#health, logger: this.#logger };
    const healthServer = await startAdminServer({ ...health, ...common });
    this.#servers.push(healthServer);
    const adminServer = await startAdminServer({ ...admin, ...common, renderMetrics: () => this.#metrics.render() });
    this.#servers.push(adminServer);
    const logs = await this.#openLogs();
    this.#logs = logs;
    await logs.start();
    const watch = this.#makeWatch(logs);
    this.#watch = watch;
    const server = this.#makeServer(logs, watch);
    this.#server = server;
    await server.start();
    watch.start();
    this.#measure(logs, watch);
    this.#status = "ok";
    this.#logger.info("serving", { port: server.port, cells: logs.cells });
    return { event: "ready", port: server.port, healthPort: healthServer.port, adminPort: adminServer.port };
  }

  /** Health fails first; the listener closes after `listenMs`; what still runs at `deadlineMs` is cut. */
  async stop(): Promise<void> {
    this.#status = "stopping";
    const server = this.#server;
    if (server !== undefined) {
      const { listenMs, deadlineMs } = this.#config.drain;
      this.#logger.info("draining", { connections: server.connections, listenMs, deadlineMs });
      await new Promise<void>((resolve) => systemTimers.after(listenMs, resolve));
      server.close();
      const cancel = systemTimers.after(deadlineMs - listenMs, () => server.cutAll());
      await server.untilEmpty();
      cancel();
    }
    this.#watch?.stop();
    this.#logs?.stop();
    await Promise.all(this.#servers.map((each) => each.close()));
  }

  die(event: string, error: unknown): never {
    this.#logger.error(event, { error });
    process.exit(1);
  }

  get #health(): Health {
    // Whoever reads the logs no more routes by what was: the balancer prefers another one.
    const status = this.#status === "ok" && this.#logs?.halted === true ? "starting" : this.#status;
    return { status, details: { connections: this.#server?.connections ?? 0 } };
  }

  async #openLogs(): Promise<CellLogs> {
    const followers = await Promise.all(this.#config.cells.map((cell) => this.#followerOf(cell)));
    return new CellLogs({
      followers,
      timers: systemTimers,
      onStopped: (cell, message) => this.#logger.error("metadata-log-halted", { cell, message }),
    });
  }

  async #followerOf({ cell, items, objects, cellSecretFile }: CellLogConfig) {
    const cellSecret = cellSecretFile === undefined ? Buffer.alloc(0) : await readFile(cellSecretFile);
    return {
      cell,
      writer: "router",
      itemStore: await openItemStore(items, { cellSecret, timers: systemTimers }),
      objectStore: await openObjectStore(objects, systemTimers),
      clock: systemClock,
      random: systemRandom,
      logger: this.#logger,
    };
  }

  #makeWatch(logs: CellLogs): BrokerWatch {
    return new BrokerWatch({
      brokers: () => logs.images.flatMap((image) => brokersOf(image, this.#config)),
      look: lookAtBroker,
      leadsNothing: ({ cell, brokerId }) => {
        const image = logs.image(cell);
        return image === undefined || leadsNothing(image, brokerId);
      },
      refresh: ({ cell }) => logs.refresh(cell),
      onCut: (broker) => this.#server?.cutBroker(broker),
      timers: systemTimers,
      logger: this.#logger,
    });
  }

  #makeServer(logs: CellLogs, watch: BrokerWatch): RouterServer {
    const { listen, limits, proxyProtocolFrom } = this.#config;
    const networks = readNetworks(proxyProtocolFrom);
    if (networks.kind === "invalid") throw new Error(networks.problems.join("; "));
    const isLive = (broker: RoutedBroker) => watch.condition(broker) === "live";
    return new RouterServer({
      listen,
      limits,
      proxies: proxyProtocolFrom.length === 0 ? undefined : networks.list,
      route: (name) => route(name, this.#config, { images: logs.images, isLive, spread: systemRandom.fraction() }),
      refresh: () => logs.refreshAll(),
      clock: systemClock,
      logger: this.#logger,
      metrics: this.#metrics,
    });
  }

  #measure(logs: CellLogs, watch: BrokerWatch): void {
    for (const condition of ["live", "doubted", "cut"] as const) {
      this.#metrics.onScrape("routerBrokers", { condition }, () => watch.count(condition));
    }
    for (const cell of logs.cells)
      this.#metrics.onScrape("routerLogAge", { cell }, () => logs.unconfirmedSeconds(cell));
  }
}
