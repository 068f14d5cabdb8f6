import { routerLimits } from "../router/limits.ts";
import type { RouterConfig } from "../router/router-config.ts";
import type { CellStores } from "./cell-metadata.ts";
import type { RouterPorts } from "./ports.ts";
import { localDomain, localZones, routedListener } from "./routed-names.ts";

const host = "127.0.0.1";

/** What the router is started with. It ends at once: nobody balances over it, and its brokers end with it. */
export function routerConfigFor(ports: RouterPorts, cells: readonly CellStores[]): RouterConfig {
  return {
    domain: localDomain,
    zone: localZones[0],
    listen: { host, port: ports.clients },
    health: { host, port: ports.health },
    admin: { host, port: ports.admin },
    proxyProtocolFrom: [],
    brokerListener: routedListener,
    cells,
    limits: routerLimits,
    drain: { listenMs: 0, deadlineMs: 3_000 },
  };
}
