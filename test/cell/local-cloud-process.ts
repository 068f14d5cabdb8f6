import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CellMetadata, type CellStores } from "../../local/cell-metadata.ts";
import type { ConnectionSettings } from "./test-client.ts";

/** The line that `npm start -- --json` prints. */
export interface ReadyLine {
  readonly bootstrap: string;
  readonly routerBootstrap: string;
  readonly lkc: string;
  readonly router: { readonly pid: number; readonly port: number; readonly adminPort: number };
  readonly brokers: readonly {
    readonly id: number;
    readonly cell: string;
    readonly pid: number;
    readonly port: number;
    readonly tlsPort: number;
    readonly adminPort: number;
  }[];
  readonly api: string;
  readonly apiKey: { readonly id: string; readonly secret: string };
  readonly clientProperties: string;
  readonly readyMs: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const projectRoot = fileURLToPath(new URL("../../", import.meta.url));
/** Above what the supervisor itself allows its processes: it says what went wrong. */
const startMsMax = 150_000;
const endMsMax = 90_000;
const freePorts = [
  "--kafka-port",
  "0",
  "--tls-port",
  "0",
  "--admin-port",
  "0",
  "--router-port",
  "0",
  "--api-port",
  "0",
];

/** Runs one of the commands of `local` to its end. */
export async function runCommand(program: string, args: readonly string[]): Promise<CommandResult> {
  try {
    const command = [path.join("local", program), ...args];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: projectRoot });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { readonly code?: number; readonly stdout?: string; readonly stderr?: string };
    return { code: failed.code ?? -1, stdout: failed.stdout ?? "", stderr: failed.stderr ?? "" };
  }
}

/** A real local cloud: the processes that `npm start` makes, on free ports and a data directory of its own. */
export class LocalCloudProcess {
  readonly dataDirectory: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #ready: ReadyLine | undefined;
  /** What it said on stderr over all its lives. */
  said = "";

  private constructor(dataDirectory: string, args: readonly string[]) {
    this.dataDirectory = dataDirectory;
    this.#args = args;
  }

  static async start(args: readonly string[] = []): Promise<LocalCloudProcess> {
    const cloud = new LocalCloudProcess(mkdtempSync(path.join(tmpdir(), "balafon-cell-")), args);
    try {
      await cloud.launch();
    } catch (error) {
      await cloud.dispose();
      throw error;
    }
    return cloud;
  }

  get ready(): ReadyLine {
    if (this.#ready === undefined) throw new Error("the cloud does not run");
    return this.#ready;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get plaintext(): ConnectionSettings {
    return { bootstrap: this.ready.bootstrap.split(",") };
  }

  /** SASL_SSL with a key of a logical cluster. */
  secure(credentials: { readonly keyId: string; readonly secret: string }): ConnectionSettings {
    const authority = readFileSync(path.join(this.dataDirectory, "tls", "ca.pem"), "utf8");
    const bootstrap = this.ready.brokers.map(({ tlsPort }) => `localhost:${tlsPort}`);
    return { bootstrap, secure: { authority, username: credentials.keyId, password: credentials.secret } };
  }

  /** The same through the router, by names. */
  routed(credentials: { readonly lkc: string; readonly keyId: string; readonly secret: string }): ConnectionSettings {
    const { secure } = this.secure(credentials);
    const bootstrap = [`${credentials.lkc}.balafon.localhost:${this.ready.router.port}`];
    return secure === undefined ? { bootstrap } : { bootstrap, secure: { ...secure, throughRouter: "127.0.0.1" } };
  }

  /** The key in client.properties. */
  get devCredentials(): { readonly keyId: string; readonly secret: string } {
    const properties = readFileSync(this.ready.clientProperties, "utf8");
    const [, keyId = "", secret = ""] = /username="([^"]+)" password="([^"]+)"/.exec(properties) ?? [];
    return { keyId, secret };
  }

  /** Starts the supervisor, again if it ended before. */
  async launch(): Promise<ReadyLine> {
    const args = ["local/main.ts", "--json", "--data", this.dataDirectory, ...freePorts, ...this.#args];
    const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.stderr.on("data", (chunk) => {
      this.said += String(chunk);
    });
    const line = await firstLine(child);
    if (line === undefined) throw new Error(`the cloud did not start:\n${this.said}`);
    this.#ready = JSON.parse(line) as ReadyLine;
    return this.#ready;
  }

  broker(command: string, id: number): Promise<CommandResult> {
    return runCommand("broker-command.ts", [command, String(id), "--data", this.dataDirectory]);
  }

  admin(...args: readonly string[]): Promise<CommandResult> {
    return runCommand("admin.ts", [...args, "--data", this.dataDirectory]);
  }

  /** A further logical cluster with a key. */
  async makeTenant(name: string): Promise<{ readonly lkc: string; readonly keyId: string; readonly secret: string }> {
    const cluster = JSON.parse((await this.admin("create-cluster", name, "--json")).stdout) as { readonly lkc: string };
    const key = JSON.parse((await this.admin("create-key", cluster.lkc, "--json")).stdout);
    return { ...cluster, ...(key as { readonly keyId: string; readonly secret: string }) };
  }

  /** Logical clusters without keys, made one after the other by one process. */
  async makeTenants(count: number): Promise<void> {
    const run = JSON.parse(readFileSync(path.join(this.dataDirectory, "run.json"), "utf8")) as CellStores;
    const metadata = await CellMetadata.open(
      { ...run, cellSecretFile: path.join(this.dataDirectory, "cell.secret") },
      "test",
    );
    for (let number = 0; number < count; number++) await metadata.createCluster(`many-${number}`);
    metadata.close();
  }

  /** Where a broker is now: its process id changes when it is started again. */
  processOf(id: number): number | undefined {
    const run = JSON.parse(readFileSync(path.join(this.dataDirectory, "run.json"), "utf8")) as {
      readonly brokers: readonly { readonly id: number; readonly pid?: number }[];
    };
    return run.brokers.find((broker) => broker.id === id)?.pid;
  }

  async metrics(id: number): Promise<string> {
    const adminPort = this.ready.brokers.find((broker) => broker.id === id)?.adminPort ?? 0;
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
    return response.text();
  }

  /** As when the `tee` that its output goes to has ended. */
  closeOutput(): void {
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
  }

  /** Ends it in order, or as the signal says; resolves with its exit code. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child?.kill(signal);
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), endMsMax);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  async dispose(): Promise<void> {
    await this.end();
    rmSync(this.dataDirectory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Undefined when the process ended, or the time, before there was one. */
function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const timer = setTimeout(() => resolve(undefined), startMsMax);
    const settle = (line: string | undefined) => {
      clearTimeout(timer);
      resolve(line);
    };
    child.once("exit", () => settle(undefined));
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
      const end = text.indexOf("\n");
      if (end >= 0) settle(text.slice(0, end));
    });
  });
}
