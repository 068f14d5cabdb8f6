import { afterEach, expect, test } from "vitest";
import { type AdminServer, type Health, startAdminServer } from "../../../../shared/telemetry/admin-server.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { MetricsRegistry } from "../../../../shared/telemetry/metrics-registry.ts";
import { registerProcessMetrics } from "../../../../shared/telemetry/process-metrics.ts";

let server: AdminServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(health: Health, renderMetrics = () => "x 1\n") {
  const logger = silentLogger;
  server = await startAdminServer({ host: "127.0.0.1", port: 0, renderMetrics, health: () => health, logger });
  return `http://127.0.0.1:${server.port}`;
}

test("/metrics shows the process", async () => {
  const metrics = new MetricsRegistry();
  const stop = registerProcessMetrics(metrics);
  const url = await start({ status: "ok" }, () => metrics.render());
  const response = await fetch(`${url}/metrics`);
  stop();
  expect(response.headers.get("content-type")).toContain("version=0.0.4");
  const text = await response.text();
  expect(text).toMatch(/balafon_memory_bytes\{kind="rss"\} \d{7,}/);
  expect(text).toMatch(/balafon_event_loop_delay_seconds\{quantile="0.99"\} [\d.e-]+/);
  expect(text).not.toContain("NaN");
});

test("/healthz is 200 only when the process serves", async () => {
  const url = await start({ status: "starting", details: { brokerId: 2 } });
  const response = await fetch(`${url}/healthz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: "starting", brokerId: 2 });
});

test("anything else is refused", async () => {
  const url = await start({ status: "ok" });
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
});

test("a taken port is an error of the caller's", async () => {
  await start({ status: "ok" });
  const port = server?.port ?? 0;
  const options = { host: "127.0.0.1", port, renderMetrics: () => "", health: () => ({ status: "ok" }) as const };
  await expect(startAdminServer({ ...options, logger: silentLogger })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
