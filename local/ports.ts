import { createServer } from "node:net";

/** One port that the local cloud needs. */
export interface PlannedPort {
  readonly port: number;
  /** `broker 2, SASL_SSL`. */
  readonly use: string;
  /** The flag that moves it. */
  readonly flag: string;
}

export interface BrokerPorts {
  readonly kafka: number;
  readonly tls: number;
  readonly admin: number;
  /** For the other brokers; always a free one. */
  readonly peer: number;
  /** For the router; always a free one. */
  readonly routed: number;
}

export interface RouterPorts {
  readonly clients: number;
  readonly admin: number;
  /** Always a free one. */
  readonly health: number;
}

export interface PortRequest {
  readonly brokers: number;
  /** Of broker 1; the others follow one by one. 0: take free ones. */
  readonly kafkaPort: number;
  readonly tlsPort: number;
  readonly adminPort: number;
  /** Of the router; its admin port follows. 0: take free ones. */
  readonly routerPort: number;
  /** Of the provisioning API. */
  readonly apiPort: number;
}

export type PortPlan =
  | {
      readonly kind: "planned";
      readonly brokers: readonly BrokerPorts[];
      readonly router: RouterPorts;
      readonly api: number;
    }
  | { readonly kind: "refused"; readonly problem: string };

const portMax = 65_535;
const host = "127.0.0.1";
/** Free ports are looked for below the range from which systems number outgoing connections. */
const freePortMin = 12_000;
const freePortMax = 30_000;
const freePortAttemptsMax = 200;

/** Settles which ports to use and checks that they are free now; a problem names the port and its flag. */
export async function planPorts(request: PortRequest): Promise<PortPlan> {
  const taken = new Set<number>();
  const byBroker = Array.from({ length: request.brokers }, (_, index) => `broker ${index + 1}`);
  const usesOf = (use: string) => byBroker.map((broker) => `${broker}, ${use}`);
  const groups = [
    { flag: "--kafka-port", uses: usesOf("plaintext"), first: request.kafkaPort },
    { flag: "--tls-port", uses: usesOf("SASL_SSL"), first: request.tlsPort },
    { flag: "--admin-port", uses: usesOf("admin"), first: request.adminPort },
    { flag: "--kafka-port", uses: usesOf("peer"), first: 0 },
    { flag: "--kafka-port", uses: usesOf("routed"), first: 0 },
    { flag: "--router-port", uses: ["router", "router, admin"], first: request.routerPort },
    { flag: "--router-port", uses: ["router, health"], first: 0 },
    { flag: "--api-port", uses: ["provisioning API"], first: request.apiPort },
  ];
  const firsts: number[] = [];
  // Ports that somebody asked for come first, so that free ones are chosen around them.
  for (const group of groups.toSorted((left, right) => Number(left.first === 0) - Number(right.first === 0))) {
    const first = group.first === 0 ? await freeRange(group.uses.length, taken) : group.first;
    for (const [at, use] of group.uses.entries()) {
      const planned = { port: first + at, use, flag: group.flag };
      const problem = await portProblem(planned, taken);
      if (problem !== undefined) return { kind: "refused", problem };
      taken.add(planned.port);
    }
    firsts[groups.indexOf(group)] = first;
  }
  const [kafka = 0, tls = 0, admin = 0, peer = 0, routed = 0, router = 0, health = 0, api = 0] = firsts;
  const brokers = Array.from({ length: request.brokers }, (_, index) => ({
    kafka: kafka + index,
    tls: tls + index,
    admin: admin + index,
    peer: peer + index,
    routed: routed + index,
  }));
  return { kind: "planned", brokers, router: { clients: router, admin: router + 1, health }, api };
}

async function portProblem(planned: PlannedPort, taken: ReadonlySet<number>): Promise<string | undefined> {
  const { port, use, flag } = planned;
  if (port > portMax) return `port ${port} (${use}) is above ${portMax}: pass a lower ${flag}`;
  if (taken.has(port)) return `port ${port} (${use}) is wanted twice: pass another ${flag}`;
  const failure = await bindFailure(port);
  if (failure === undefined) return undefined;
  if (failure === "EADDRINUSE")
    return `port ${port} (${use}) is taken by another program: end it, or pass another ${flag}`;
  return `port ${port} (${use}) cannot be opened (${failure}): pass another ${flag}`;
}

/** The system's code when the port cannot be had, else undefined. */
function bindFailure(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function freeRange(count: number, taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < freePortAttemptsMax; attempt++) {
    const first = freePortMin + Math.floor(Math.random() * (freePortMax - freePortMin - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => taken.has(port))) continue;
    const failures = await Promise.all(ports.map(bindFailure));
    if (failures.every((failure) => failure === undefined)) return first;
  }
  throw new Error(`no ${count} free ports in a row between ${freePortMin} and ${freePortMax}`);
}
