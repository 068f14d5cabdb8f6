/**
 * The router in a container: makes its configuration of the task's environment, and runs as `main.ts` does. It has no
 * secrets: it reads names, and ends no TLS.
 */

import { startEmfPrinter } from "../shared/container/emf-printer.ts";
import { Environment } from "../shared/container/environment.ts";
import { runService } from "../shared/container/run-service.ts";
import { systemClock } from "../shared/ports/clock.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { routerEmfMetrics } from "../shared/telemetry/emf.ts";
import { readRouterConfig } from "./router-config.ts";
import { RouterProcess } from "./router-process.ts";
import { keepHeapSmall } from "./small-heap.ts";

const ports = { kafka: 9092, admin: 9094, health: 9095 } as const;

/** Of the two minutes that a task is given to end: what is left for connections once the balancer has noticed. */
const taskEndMsMax = 110_000;

async function main(): Promise<void> {
  const environment = new Environment(process.env);
  const zone = environment.text("BALAFON_ZONE");
  const domain = environment.text("BALAFON_DOMAIN");
  const region = environment.text("AWS_REGION");
  const table = environment.text("BALAFON_METADATA_TABLE");
  const bucket = environment.text("BALAFON_BUCKET");
  const listenMs = environment.number("BALAFON_DEREGISTRATION_SECONDS") * 1_000;
  const cells = environment.texts("BALAFON_CELLS");
  const proxyProtocolFrom = environment.texts("BALAFON_BALANCER_NETWORKS");
  const endpoint = environment.optionalText("AWS_ENDPOINT_URL");
  environment.finish();

  const place = { region, ...(endpoint === undefined ? {} : { endpoint }) };
  const everywhere = "0.0.0.0";
  const read = readRouterConfig({
    domain,
    zone,
    listen: { host: everywhere, port: ports.kafka },
    health: { host: everywhere, port: ports.health },
    admin: { host: everywhere, port: ports.admin },
    proxyProtocolFrom,
    brokerListener: "CLIENTS",
    cells: cells.map((cell) => ({
      cell,
      items: { kind: "dynamodb", ...place, table },
      objects: { kind: "s3", ...place, bucket },
    })),
    drain: { listenMs: Math.min(listenMs, taskEndMsMax), deadlineMs: taskEndMsMax },
  });
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  keepHeapSmall();
  const router = new RouterProcess(read.config);
  startEmfPrinter({
    clock: systemClock,
    timers: systemTimers,
    dimensions: { Router: domain, Zone: zone },
    metrics: routerEmfMetrics,
    samples: () => router.metricSamples(),
    write: (line) => process.stdout.write(line),
  });
  await runService(router);
}

main().catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: "error", event: "router-not-started", error: String(error) })}\n`);
  process.exit(1);
});
