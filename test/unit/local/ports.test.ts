import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { planPorts } from "../../../local/ports.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function occupy(): Promise<number> {
  const server = createServer();
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

/** A taken port after one that is free: other programs of the machine take ports as well. */
async function occupyAfterFreePort(): Promise<number> {
  for (;;) {
    const port = await occupy();
    const before = await planPorts({ brokers: 1, ...free, tlsPort: port - 1 });
    if (before.kind === "planned") return port;
  }
}

const free = { kafkaPort: 0, tlsPort: 0, adminPort: 0, routerPort: 0, apiPort: 0 };

test("free ports are all different", async () => {
  const plan = await planPorts({ brokers: 3, ...free });
  const ports =
    plan.kind === "planned"
      ? [...plan.brokers.flatMap((each) => Object.values(each)), ...Object.values(plan.router)]
      : [];
  expect(new Set(ports).size).toBe(3 * 5 + 3);
});

test("a taken port is named with its broker and its flag", async () => {
  const port = await occupyAfterFreePort();
  expect(await planPorts({ brokers: 2, ...free, tlsPort: port - 1 })).toEqual({
    kind: "refused",
    problem: `port ${port} (broker 2, SASL_SSL) is taken by another program: end it, or pass another --tls-port`,
  });
});

test("the router's ports are named by its flag", async () => {
  const port = await occupy();
  expect(await planPorts({ brokers: 1, ...free, routerPort: port })).toEqual({
    kind: "refused",
    problem: `port ${port} (router) is taken by another program: end it, or pass another --router-port`,
  });
});

test("ranges that overlap and ports above the last one are refused", async () => {
  const plan = await planPorts({ brokers: 2, ...free });
  const first = plan.kind === "planned" ? (plan.brokers[0]?.kafka ?? 0) : 0;
  expect(await planPorts({ brokers: 2, ...free, kafkaPort: first, tlsPort: first + 1 })).toEqual({
    kind: "refused",
    problem: `port ${first + 1} (broker 1, SASL_SSL) is wanted twice: pass another --tls-port`,
  });
  expect(await planPorts({ brokers: 3, ...free, adminPort: 65_535 })).toMatchObject({
    problem: expect.stringContaining("above 65535: pass a lower --admin-port"),
  });
});
