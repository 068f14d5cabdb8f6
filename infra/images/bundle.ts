/**
 * `npm run images [-- --cpu x64|arm64]`: makes the `app` folders that the Dockerfiles of brokers and routers copy (one bundled
 * file each, the health check, the native CRC-32C of the image's architecture), and the broker's empty `data` folder, by which
 * a volume that is mounted there belongs to the image's user.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Loads a file of machine code, which no bundle can hold. */
const nativePackage = "@node-rs/crc32";

/** As Node and npm name them: `x64` is what others call x86_64 or amd64. */
const cpus: readonly string[] = ["arm64", "x64"];

const entries = { broker: "broker/container.ts", router: "router/container.ts" } as const;

async function bundle(deployable: keyof typeof entries, cpu: string): Promise<void> {
  const image = path.join(root, "infra/images", deployable);
  const app = path.join(image, "app");
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  if (deployable === "broker") mkdirSync(path.join(image, "data"), { recursive: true });
  await build({
    entryPoints: [path.join(root, entries[deployable])],
    outfile: path.join(app, "main.mjs"),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true,
    keepNames: true,
    external: [nativePackage],
    // The AWS SDK's CommonJS parts call require.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: "warning",
  });
  copyFileSync(path.join(root, "infra/images/health.mjs"), path.join(app, "health.mjs"));
  installNative(app, cpu);
}

/** What `npm ci` brought for this machine, or, for another architecture, what the registry has at the same version. */
function installNative(app: string, cpu: string): void {
  const packages = [nativePackage, `${nativePackage}-linux-${cpu}-gnu`];
  if (packages.every((name) => existsSync(path.join(root, "node_modules", name)))) {
    for (const name of packages) {
      cpSync(path.join(root, "node_modules", name), path.join(app, "node_modules", name), { recursive: true });
    }
    return;
  }
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const version = manifest.dependencies[nativePackage];
  const options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", app];
  const target = ["--os=linux", `--cpu=${cpu}`, "--libc=glibc"];
  const installed = spawnSync("npm", ["install", ...options, ...target, `${nativePackage}@${version}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (installed.status !== 0) throw new Error(`${nativePackage} for ${cpu} could not be installed`);
}

const { values } = parseArgs({ options: { cpu: { type: "string", default: "arm64" } } });
// Another name would make images without the native part, which end when they start.
if (!cpus.includes(values.cpu)) {
  process.stderr.write(`--cpu must be ${cpus.join(" or ")}, not "${values.cpu}"\n`);
  process.exit(2);
}
for (const deployable of Object.keys(entries) as (keyof typeof entries)[]) {
  await bundle(deployable, values.cpu);
  process.stdout.write(`infra/images/${deployable}/app is ready, for ${values.cpu}\n`);
}
