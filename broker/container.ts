/**
 * The broker in a container: makes its configuration of what the task is told (environment, task metadata, secrets), and
 * runs as `main.ts` does. Secrets go into files of the task's own scratch directory, never into the environment or a log.
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import path from "node:path";
import { readBrokerConfig } from "../shared/broker-config/broker-config.ts";
import { keepCertificateFiles } from "../shared/container/certificate-files.ts";
import { startEmfPrinter } from "../shared/container/emf-printer.ts";
import { Environment } from "../shared/container/environment.ts";
import { replacePrivateFile } from "../shared/container/private-file.ts";
import { runService } from "../shared/container/run-service.ts";
import { keepSecretFresh } from "../shared/container/secret-refresh.ts";
import { SecretsManager } from "../shared/container/secrets-manager.ts";
import { readTaskPlace } from "../shared/container/task-metadata.ts";
import { systemClock } from "../shared/ports/clock.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { BrokerProcess } from "./broker-process.ts";
import { startBufferCollector } from "./buffer-collector.ts";

const ports = { kafka: 9092, peer: 9093, admin: 9094 } as const;

interface Settings {
  readonly cell: string;
  readonly cellNumber: number;
  readonly zone: string;
  readonly domain: string;
  readonly table: string;
  readonly controlTable: string;
  readonly bucket: string;
  readonly cellSecretArn: string;
  readonly certificateSecretArn: string;
  readonly dataDirectory: string;
  readonly metadataUri: string;
  readonly proxyProtocolFrom: readonly string[];
  /** Where AWS is: an emulator has an endpoint of its own. */
  readonly place: { readonly region: string; readonly endpoint?: string };
}

interface Files {
  readonly cellSecretFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Between attempts to read secrets: an operator puts the certificate into its secret when the first deployment made that. */
const secretRetryMs = 5_000;

async function main(): Promise<void> {
  const settings = readSettings();
  let broker: BrokerProcess | undefined;
  // As the first process of its container it is ended by no signal that it does not handle: so from the beginning.
  await runService({
    start: async () => {
      broker = await makeBroker(settings);
      return broker.start();
    },
    stop: async () => broker?.stop(),
    die: (event, error) => {
      log("error", event, error);
      process.exit(1);
    },
  });
}

async function makeBroker(settings: Settings): Promise<BrokerProcess> {
  const { address } = await readTaskPlace(settings.metadataUri);
  const files = await writeSecrets(settings);
  await mkdir(settings.dataDirectory, { recursive: true });
  const read = readBrokerConfig(configOf(settings, files, address));
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  startBufferCollector(systemTimers, () => process.memoryUsage().arrayBuffers);
  const broker = new BrokerProcess(read.config);
  startEmfPrinter({
    clock: systemClock,
    timers: systemTimers,
    dimensions: { Cell: settings.cell },
    samples: () => broker.metricSamples(),
    write: (line) => process.stdout.write(line),
  });
  return broker;
}

function readSettings(): Settings {
  const environment = new Environment(process.env);
  const endpoint = environment.optionalText("AWS_ENDPOINT_URL");
  const settings: Settings = {
    cell: environment.text("BALAFON_CELL"),
    cellNumber: environment.number("BALAFON_CELL_NUMBER"),
    zone: environment.text("BALAFON_ZONE"),
    domain: environment.text("BALAFON_DOMAIN"),
    table: environment.text("BALAFON_METADATA_TABLE"),
    controlTable: environment.text("BALAFON_CONTROL_TABLE"),
    bucket: environment.text("BALAFON_BUCKET"),
    cellSecretArn: environment.text("BALAFON_CELL_SECRET_ARN"),
    certificateSecretArn: environment.text("BALAFON_CERTIFICATE_SECRET_ARN"),
    dataDirectory: environment.text("BALAFON_DATA_DIRECTORY"),
    metadataUri: environment.text("ECS_CONTAINER_METADATA_URI_V4"),
    proxyProtocolFrom: environment.texts("BALAFON_ROUTER_NETWORKS"),
    place: { region: environment.text("AWS_REGION"), ...(endpoint === undefined ? {} : { endpoint }) },
  };
  environment.finish();
  return settings;
}

/** Waits for secrets that are not there yet; the container's health fails meanwhile. */
async function writeSecrets({ cellSecretArn, certificateSecretArn }: Settings): Promise<Files> {
  const scratch = await mkdtemp("/tmp/balafon-");
  const files = {
    cellSecretFile: path.join(scratch, "cell-secret"),
    certificateFile: path.join(scratch, "certificate.pem"),
    keyFile: path.join(scratch, "key.pem"),
  };
  const secrets = new SecretsManager();
  await untilDone("cell-secret-not-read", () =>
    keepSecretFresh({
      readSecret: () => secrets.read(cellSecretArn),
      write: (text) => replacePrivateFile(files.cellSecretFile, text),
      timers: systemTimers,
      onFailed: (error) => log("warn", "cell-secret-not-changed", error),
    }),
  );
  await untilDone("certificate-not-read", () =>
    keepCertificateFiles({
      ...files,
      readSecret: () => secrets.read(certificateSecretArn),
      timers: systemTimers,
      onFailed: (error) => log("warn", "certificate-not-renewed", error),
    }),
  );
  return files;
}

async function untilDone(event: string, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      log("warn", event, error);
    }
    await new Promise<void>((resolve) => systemTimers.after(secretRetryMs, resolve));
  }
}

function configOf(settings: Settings, files: Files, address: string): object {
  const { cell, cellNumber, zone, domain, dataDirectory, proxyProtocolFrom, place, table, bucket } = settings;
  const { cellSecretFile, certificateFile, keyFile } = files;
  return {
    cell,
    cellNumber,
    // Whatever id the cell's log gives to new data; data that is there keeps its own.
    brokerId: -1,
    zone,
    dataDirectory,
    peer: { host: address, port: ports.peer },
    admin: { host: "0.0.0.0", port: ports.admin },
    listeners: [
      {
        name: "CLIENTS",
        protocol: "sasl_ssl",
        host: "0.0.0.0",
        port: ports.kafka,
        advertisedHost: address,
        advertisedPort: ports.kafka,
        certificateFile,
        keyFile,
        routed: { domain, port: ports.kafka },
        proxyProtocolFrom,
      },
    ],
    cellSecretFile,
    items: { kind: "dynamodb", ...place, table },
    control: { kind: "dynamodb", ...place, table: settings.controlTable },
    objects: { kind: "s3", ...place, bucket },
    recoverWithoutMajority: false,
  };
}

function log(level: "warn" | "error", event: string, error: unknown): void {
  process.stderr.write(`${JSON.stringify({ level, event, error: String(error) })}\n`);
}

main().catch((error: unknown) => {
  log("error", "broker-not-started", error);
  process.exit(1);
});
