import { localBrokersMax, localCellsMax } from "../limits.ts";
import { describeOptions, parseOptions } from "./options.ts";

const portMax = 65_535;

const startOptionSpecs = [
  {
    name: "data",
    kind: "text",
    placeholder: "DIR",
    help: "Keep everything in DIR; it survives restarts.\nDefault: .balafon in the project, ignored by git.",
  },
  { name: "fresh", kind: "flag", help: "Delete what an earlier start left in the data directory first." },
  {
    name: "brokers",
    kind: "integer",
    placeholder: "N",
    min: 1,
    max: localBrokersMax,
    help: "Broker processes of each cell. Default: 3, or as many as the data has.",
  },
  {
    name: "cells",
    kind: "integer",
    placeholder: "N",
    min: 1,
    max: localCellsMax,
    help: "Cells, each with its own brokers and metadata log; the provisioning API places\nlogical clusters in them. Default: 1, or as many as the data has.",
  },
  {
    name: "kafka-port",
    kind: "integer",
    placeholder: "PORT",
    max: portMax,
    help: "Plaintext listener of broker 1, one up for each broker.\nDefault: 9092. 0 takes free ports.",
  },
  {
    name: "tls-port",
    kind: "integer",
    placeholder: "PORT",
    max: portMax,
    help: "SASL_SSL listener of broker 1, one up for each broker.\nDefault: 9192. 0 takes free ports.",
  },
  {
    name: "admin-port",
    kind: "integer",
    placeholder: "PORT",
    max: portMax,
    help: "/metrics and /healthz of broker 1, one up for each broker.\nDefault: 9292. 0 takes free ports.",
  },
  {
    name: "api-port",
    kind: "integer",
    placeholder: "PORT",
    max: portMax,
    help: "The provisioning API. Default: 9080. 0 takes a free port.",
  },
  {
    name: "router-port",
    kind: "integer",
    placeholder: "PORT",
    max: portMax,
    help: "The router, for clients that go by names (SASL_SSL); its /metrics is one up.\nDefault: 9392. 0 takes free ports.",
  },
  {
    name: "set",
    kind: "texts",
    placeholder: "NAME=VALUE",
    help: "A broker config of the cell by Kafka's name, such as num.partitions=6 or\nauto.create.topics.enable=false. May be repeated; kept for later starts.",
  },
  {
    name: "restart-after",
    kind: "integer",
    placeholder: "SECONDS",
    max: 86_400,
    help: "A broker process that died is started again with its data after this long.\nDefault: 10. 0: never.",
  },
  {
    name: "aws-endpoint",
    kind: "text",
    placeholder: "URL",
    help: "Keep metadata and objects in DynamoDB and S3 at this address instead of\nthe embedded stores. Region and credentials as the AWS SDK finds them.",
  },
  {
    name: "json",
    kind: "flag",
    help: "When ready, print one line of JSON on stdout and nothing else there.\nRun it as `npm start --silent -- --json`.",
  },
  { name: "help", kind: "flag", help: "Show this." },
] as const;

export interface StartOptions {
  /** As typed; undefined for the default. */
  readonly dataDirectory: string | undefined;
  readonly fresh: boolean;
  /** Undefined: as many as the data has. */
  readonly brokers: number | undefined;
  /** Undefined: as many as the data has. */
  readonly cells: number | undefined;
  readonly kafkaPort: number;
  readonly tlsPort: number;
  readonly adminPort: number;
  readonly apiPort: number;
  readonly routerPort: number;
  /** From `--set`, by name, not validated yet. */
  readonly cellConfigs: Readonly<Record<string, string>>;
  /** 0: never. */
  readonly restartAfterMs: number;
  readonly awsEndpoint: string | undefined;
  readonly json: boolean;
}

export const defaultBrokers = 3;
export const defaultKafkaPort = 9092;
export const defaultTlsPort = 9192;
export const defaultAdminPort = 9292;
export const defaultApiPort = 9080;
export const defaultRouterPort = 9392;
const defaultRestartAfterSeconds = 10;

export type StartCommand =
  | { readonly kind: "start"; readonly options: StartOptions }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: string };

export function parseStartCommand(argv: readonly string[]): StartCommand {
  const parsed = parseOptions(argv, startOptionSpecs);
  if (parsed.kind === "refused") return parsed;
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help", text: startHelp() };
  if (positionals.length > 0)
    return {
      kind: "refused",
      problem: `${positionals[0]} is not expected; options begin with --, and npm wants one more before them: npm start -- --set NAME=VALUE`,
    };
  const cellConfigs: Record<string, string> = {};
  for (const setting of values.set) {
    const equals = setting.indexOf("=");
    if (equals < 1) return { kind: "refused", problem: `--set needs NAME=VALUE, not ${JSON.stringify(setting)}` };
    cellConfigs[setting.slice(0, equals).trim()] = setting.slice(equals + 1).trim();
  }
  const awsEndpoint = values["aws-endpoint"];
  if (awsEndpoint !== undefined && !isHttpUrl(awsEndpoint)) {
    return {
      kind: "refused",
      problem: `--aws-endpoint needs an http or https URL, not ${JSON.stringify(awsEndpoint)}`,
    };
  }
  return {
    kind: "start",
    options: {
      dataDirectory: values.data,
      fresh: values.fresh,
      brokers: values.brokers,
      cells: values.cells,
      kafkaPort: values["kafka-port"] ?? defaultKafkaPort,
      tlsPort: values["tls-port"] ?? defaultTlsPort,
      adminPort: values["admin-port"] ?? defaultAdminPort,
      apiPort: values["api-port"] ?? defaultApiPort,
      routerPort: values["router-port"] ?? defaultRouterPort,
      cellConfigs,
      restartAfterMs: (values["restart-after"] ?? defaultRestartAfterSeconds) * 1000,
      awsEndpoint,
      json: values.json,
    },
  };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}

function startHelp(): string {
  return `Balafon on one machine: a replicated cell of broker processes that stock Kafka clients use.

  npm start                                     three brokers, data in .balafon
  npm start -- --fresh --set num.partitions=6   begin anew, with a broker config
  npm start -- --data /tmp/b --kafka-port 19092 --tls-port 19192 --admin-port 19292 --router-port 19392 \\
    --api-port 19080

Options:
${describeOptions(startOptionSpecs)}
While it runs:
  npm run admin -- create-cluster NAME | create-key LKC | list [--json]
  npm run broker -- kill|stop|start|pause|resume ID
  Ctrl-C ends everything in order; a second one ends it at once.
`;
}
