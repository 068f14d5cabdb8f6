import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileAhead } from "../../local/compile-cache.ts";
import { childEnvironment } from "../../local/config.ts";
import { routerLimits } from "../../router/limits.ts";
import type { DrainConfig, RouterConfig, RouterReadyLine } from "../../router/router-config.ts";
import { storeToken } from "../../shared/access/store-token.ts";
import { startItemStoreServer } from "../../shared/item-store/item-store-server.ts";
import { MemoryItemStore } from "../../shared/item-store/memory-item-store.ts";
import { MetadataFollower } from "../../shared/metadata/follower/metadata-follower.ts";
import type { MetadataRecord } from "../../shared/metadata/records/record.ts";
import { DirectoryObjectStore } from "../../shared/object-store/directory-object-store.ts";
import { systemClock } from "../../shared/ports/clock.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { systemTimers } from "../../shared/ports/timers.ts";

export interface RoutedCell {
  readonly port: number;
  readonly healthPort: number;
  readonly pid: number;
  /** Resolves with the exit code of the router's process. */
  readonly exited: Promise<number | null>;
  end(): void;
}

const zone = "zone-a";
const secret = Buffer.alloc(32, "s");

/** A router process before a cell that is nothing but a log with one broker, which listens at a port given. */
export async function startRouter(options: {
  readonly directory: string;
  readonly lkc: string;
  readonly domain: string;
  readonly brokerPort: number;
  readonly drain?: DrainConfig;
}): Promise<RoutedCell> {
  const { directory, lkc, domain, brokerPort, drain = { listenMs: 0, deadlineMs: 0 } } = options;
  const at = (file: string) => path.join(directory, file);
  mkdirSync(at("objects"), { recursive: true });
  const itemStore = new MemoryItemStore();
  const server = await startItemStoreServer({ store: itemStore, listen: { path: at("s") }, token: storeToken(secret) });
  const objectStore = new DirectoryObjectStore(at("objects"));
  const ports = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const follower = new MetadataFollower({ cell: "cell", itemStore, objectStore, ...ports });
  await follower.start();
  const listeners = { ROUTED: { host: "127.0.0.1", port: brokerPort } };
  const records: readonly MetadataRecord[] = [
    {
      type: "broker-registered",
      brokerId: 1,
      storageId: "0".repeat(32),
      incarnationId: "0".repeat(32),
      zone,
      peer: { host: "127.0.0.1", port: 1 },
      listeners,
      featureLevelMax: 1,
      suspect: false,
    },
    { type: "logical-cluster-upserted", lkc, name: "bench", createdMs: 0 },
  ];
  await follower.propose(() => ({ records: [...records], reply: undefined }));
  follower.stop();
  writeFileSync(at("secret"), secret);
  const here = { host: "127.0.0.1", port: 0 };
  const config: RouterConfig = {
    domain,
    zone,
    listen: here,
    health: here,
    admin: here,
    proxyProtocolFrom: [],
    brokerListener: "ROUTED",
    cells: [
      {
        cell: "cell",
        items: { kind: "socket", path: at("s") },
        objects: { kind: "directory", path: at("objects") },
        cellSecretFile: at("secret"),
      },
    ],
    limits: { ...routerLimits, newPerSecondPerAddressMax: 100_000, newPerSecondPerClusterMax: 100_000 },
    drain,
  };
  writeFileSync(at("router.json"), JSON.stringify(config));
  // As `npm start` runs it.
  await compileAhead();
  const child = spawnRouter(at("router.json"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ready = JSON.parse(line.toString()) as RouterReadyLine;
  return {
    port: ready.port,
    healthPort: ready.healthPort,
    exited: new Promise((resolve) => child.once("exit", (code) => resolve(code))),
    pid: child.pid ?? 0,
    end: () => {
      child.kill();
      void server.close();
    },
  };
}

function spawnRouter(config: string) {
  const program = fileURLToPath(new URL("../../router/main.ts", import.meta.url));
  return spawn(process.execPath, [program, "--config", config], {
    env: childEnvironment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
}
