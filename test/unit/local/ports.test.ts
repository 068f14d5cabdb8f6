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

const free = { kafkaPort: 0, tlsPort: 0, adminPort: 0, apiPort: 0 };

test("free ports are all different", async () => {
  const plan = await planPorts({ brokers: 3, ...free });
  const ports =
    plan.kind === "planned" ? plan.brokers.flatMap((each) => [each.kafka, each.tls, each.admin, each.peer]) : [];
  expect(new Set(ports).size).toBe(12);
});

test("a taken port is named with its broker and its flag", async () => {
  const port = await occupy();
  expect(await planPorts({ brokers: 2, ...free, tlsPort: port - 1 })).toEqual({
    kind: "refused",
    problem: `port ${port} (broker 2, SASL_SSL) is taken by another program: end it, or pass another --tls-port`,
  });
});

test("ranges that overlap and ports above the last one are refused", async () => {
  const plan = await planPorts({ brokers: 2, ...free });
  const first = plan.kind === "planned" ? (plan.brokers[0]?.kafka ?? 0) : 0;
  expect(await planPorts({ brokers: 2, kafkaPort: first, tlsPort: first + 1, adminPort: 0, apiPort: 0 })).toEqual({
    kind: "refused",
    problem: `port ${first + 1} (broker 1, SASL_SSL) is wanted twice: pass another --tls-port`,
  });
  expect(await planPorts({ brokers: 3, ...free, adminPort: 65_535 })).toMatchObject({
    problem: expect.stringContaining("above 65535: pass a lower --admin-port"),
  });
});
