/** A local cloud of its own for a bench: processes that `npm start` makes, on free loopback ports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const projectRoot = fileURLToPath(new URL("../", import.meta.url));
/** A broker that was killed starts again after this long. */
const restartAfterSeconds = 3;

export interface BenchCloud {
  readonly bootstrap: readonly string[];
  /** The broker's process now, or 0 while it has none. */
  pidOf(broker: number): number;
  /** The process of the embedded store. */
  readonly storePid: number;
  end(): Promise<void>;
}

/** `more`: further arguments of `npm start`. */
export async function startCloud(more: readonly string[] = []): Promise<BenchCloud> {
  const directory = mkdtempSync(path.join(tmpdir(), "balafon-bench-"));
  const ports = ["--kafka-port", "0", "--tls-port", "0", "--admin-port", "0", "--router-port", "0", "--api-port", "0"];
  const args = [
    "local/main.ts",
    "--json",
    "--data",
    directory,
    "--restart-after",
    `${restartAfterSeconds}`,
    ...ports,
    ...more,
  ];
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ready = JSON.parse(line.toString()) as { readonly bootstrap: string };
  const run = () =>
    JSON.parse(readFileSync(path.join(directory, "run.json"), "utf8")) as {
      readonly brokers: readonly { readonly id: number; readonly pid?: number }[];
    };
  const brokerPids = new Set(run().brokers.map(({ pid }) => pid));
  return {
    bootstrap: ready.bootstrap.split(","),
    pidOf: (broker) => run().brokers.find(({ id }) => id === broker)?.pid ?? 0,
    storePid: childrenOf(child.pid ?? 0).find((pid) => !brokerPids.has(pid)) ?? 0,
    end: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Linux only, as the signals are: `/proc/PID/stat` names a process's parent in its fourth field. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return fields[1] === String(parent);
      } catch {
        return false;
      }
    })
    .map(Number);
}
