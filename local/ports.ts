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
}

export interface PortRequest {
  readonly brokers: number;
  /** Of broker 1; the others follow one by one. 0: take free ones. */
  readonly kafkaPort: number;
  readonly tlsPort: number;
  readonly adminPort: number;
  /** Of the provisioning API. */
  readonly apiPort: number;
}

export type PortPlan =
  | { readonly kind: "planned"; readonly brokers: readonly BrokerPorts[]; readonly api: number }
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
  const groups = [
    { flag: "--kafka-port", use: "plaintext", first: request.kafkaPort },
    { flag: "--tls-port", use: "SASL_SSL", first: request.tlsPort },
    { flag: "--admin-port", use: "admin", first: request.adminPort },
    { flag: "--kafka-port", use: "peer", first: 0 },
    { flag: "--api-port", use: "provisioning API", first: request.apiPort },
  ];
  const countOf = (group: (typeof groups)[number]) => (group.flag === "--api-port" ? 1 : request.brokers);
  const firsts: number[] = [];
  // Ports that somebody asked for come first, so that free ones are chosen around them.
  for (const group of groups.toSorted((left, right) => Number(left.first === 0) - Number(right.first === 0))) {
    const first = group.first === 0 ? await freeRange(countOf(group), taken) : group.first;
    for (let slot = 1; slot <= countOf(group); slot++) {
      const use = group.flag === "--api-port" ? group.use : `broker ${slot}, ${group.use}`;
      const planned = { port: first + slot - 1, use, flag: group.flag };
      const problem = await portProblem(planned, taken);
      if (problem !== undefined) return { kind: "refused", problem };
      taken.add(planned.port);
    }
    firsts[groups.indexOf(group)] = first;
  }
  const [kafka = 0, tls = 0, admin = 0, peer = 0, api = 0] = firsts;
  const brokers = Array.from({ length: request.brokers }, (_, index) => ({
    kafka: kafka + index,
    tls: tls + index,
    admin: admin + index,
    peer: peer + index,
  }));
  return { kind: "planned", brokers, api };
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
