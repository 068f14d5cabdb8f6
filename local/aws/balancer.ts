/**
 * What a network load balancer does in the cloud, for an emulator that has only its control plane: listens, asks targets for
 * their health as their group says, and passes each connection to one that is healthy, after a PROXY header if the group
 * wants one.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import { formatProxyHeader } from "../../shared/proxy-protocol/proxy-header.ts";
import type { BalancerView } from "./balancer-view.ts";
import {
  balancerConnectionsMax,
  balancerLookMs,
  healthCheckMsMax,
  targetConnectMsMax,
  unhealthyAfter,
} from "./limits.ts";

type Target = BalancerView["targets"][number];

export interface BalancerOptions {
  /** Where clients connect to, at the port that the listener names. */
  readonly address: string;
  /** What it is told to do; undefined while there is nothing. */
  readonly look: () => Promise<BalancerView | undefined>;
  readonly timers: Timers;
  /** Number in [0, 1). */
  readonly fraction: () => number;
}

export class Balancer {
  readonly #options: BalancerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Failed looks in a row, by target; 0: healthy. */
  readonly #failures = new Map<string, number>();
  #view: BalancerView | undefined;
  #cancel: CancelTimer | undefined;
  #ended = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server.maxConnections = balancerConnectionsMax;
  }

  /** Targets that would get a connection now. */
  get healthy(): number {
    return this.#healthyTargets().length;
  }

  /** Resolves when it listens. Rejects with the system's error when the port is taken, or when it is told of no listener. */
  async start(): Promise<void> {
    await this.#look();
    const view = this.#view;
    if (view === undefined) throw new Error("the emulator knows no load balancer with a listener");
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: this.#options.address, port: view.port }, () => resolve());
    });
    this.#lookAgain();
  }

  /** Cuts what still runs. */
  end(): void {
    this.#ended = true;
    this.#cancel?.();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #lookAgain(): void {
    if (this.#ended) return;
    this.#cancel = this.#options.timers.after(balancerLookMs, () => {
      // An emulator that does not answer changes nothing: what was known goes on.
      this.#look().then(
        () => this.#lookAgain(),
        () => this.#lookAgain(),
      );
    });
  }

  async #look(): Promise<void> {
    const view = await this.#options.look();
    this.#view = view;
    if (view === undefined) return;
    const { health, targets } = view;
    const known = new Set(targets.map(nameOf));
    for (const name of this.#failures.keys()) if (!known.has(name)) this.#failures.delete(name);
    await Promise.all(
      targets.map(async (target) => {
        const name = nameOf(target);
        const before = this.#failures.get(name) ?? unhealthyAfter;
        this.#failures.set(name, (await isHealthy(target.address, health)) ? 0 : before + 1);
      }),
    );
  }

  #healthyTargets(): readonly Target[] {
    const targets = this.#view?.targets ?? [];
    return targets.filter((target) => (this.#failures.get(nameOf(target)) ?? unhealthyAfter) < unhealthyAfter);
  }

  #accept(client: Socket): void {
    const targets = this.#healthyTargets();
    const target = targets[Math.floor(this.#options.fraction() * targets.length)];
    if (target === undefined) {
      client.destroy();
      return;
    }
    const { address: host, port } = target;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true, timeout: targetConnectMsMax });
    server.once("connect", () => server.setTimeout(0));
    server.once("timeout", () => server.destroy());
    if (this.#view?.proxyProtocol === true) server.write(headerOf(client));
    this.#join(client, server);
  }

  #join(client: Socket, server: Socket): void {
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", cut).on("close", () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}

function nameOf({ address, port }: Target): string {
  return `${address}:${port}`;
}

function headerOf(client: Socket): Buffer {
  const { remoteAddress = "127.0.0.1", remotePort = 0, localAddress = "127.0.0.1", localPort = 0 } = client;
  return formatProxyHeader({
    source: { address: remoteAddress, port: remotePort },
    destination: { address: localAddress, port: localPort },
  });
}

async function isHealthy(address: string, { port, path }: BalancerView["health"]): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}:${port}${path}`, { signal: AbortSignal.timeout(healthCheckMsMax) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
