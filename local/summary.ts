import { dataOption } from "./data-directory.ts";

/** What a local cloud tells when it is ready: a table for people, a line of JSON for programs. */
export interface CloudSummary {
  readonly cell: string;
  readonly lkc: string;
  /** Empty when the API does not run here. */
  readonly api: string;
  /** An operator's. */
  readonly apiKey: { readonly id: string; readonly secret: string };
  readonly apiKeyFile: string;
  readonly brokers: readonly {
    readonly id: number;
    readonly cell: string;
    readonly pid: number;
    /** Plaintext; 0: none, outside the first cell. */
    readonly port: number;
    readonly tlsPort: number;
    readonly adminPort: number;
  }[];
  readonly router: {
    readonly pid: number;
    readonly port: number;
    readonly adminPort: number;
    /** By name: `lkc-dev.balafon.localhost:9392`. */
    readonly bootstrap: string;
    /** For a hosts file, where the system knows no names under `localhost`. */
    readonly hostsLine: string;
  };
  readonly clientPropertiesFile: string;
  readonly librdkafkaPropertiesFile: string;
  /** The content of `clientPropertiesFile`. */
  readonly clientProperties: string;
  /** Configs of the cell that are not what a new one has, from this start or an earlier one. */
  readonly chosenConfigs: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  /** From the start of the process to the last broker that serves. */
  readonly readyMs: number;
}

const host = "127.0.0.1";

/** Addresses of the brokers, separated by commas, as clients take them. */
export function bootstrapOf(ports: readonly number[]): string {
  return ports.map((port) => `${host}:${port}`).join(",");
}

/** One line, its newline left out. Later versions add fields and take none away. */
export function summaryLine(summary: CloudSummary): string {
  const { lkc, brokers, router, readyMs } = summary;
  return JSON.stringify({
    bootstrap: bootstrapOf(plaintext(brokers).map(({ port }) => port)),
    routerBootstrap: router.bootstrap,
    lkc,
    brokers: brokers.map(({ id, cell, pid, port, tlsPort, adminPort }) => ({
      id,
      cell,
      pid,
      port,
      tlsPort,
      adminPort,
    })),
    router: { pid: router.pid, port: router.port, adminPort: router.adminPort },
    api: summary.api,
    apiKey: summary.apiKey,
    clientProperties: summary.clientPropertiesFile,
    readyMs,
  });
}

function plaintext(brokers: CloudSummary["brokers"]): CloudSummary["brokers"] {
  return brokers.filter(({ port }) => port !== 0);
}

export function summaryText(summary: CloudSummary): string {
  const { brokers, lkc, router } = summary;
  const cells = [...new Set(brokers.map(({ cell }) => cell))];
  const rows = brokers.map(({ id, pid, port, tlsPort, adminPort }) => [
    String(id),
    String(pid),
    port === 0 ? "-" : `${host}:${port}`,
    `${host}:${tlsPort}`,
    `http://${host}:${adminPort}/metrics`,
  ]);
  const routerRow = [
    "router",
    String(router.pid),
    "",
    `${host}:${router.port}`,
    `http://${host}:${router.adminPort}/metrics`,
  ];
  const table = formatTable([["broker", "process", "plaintext", "SASL_SSL", "metrics"], ...rows, routerRow]);
  const firstPort = brokers[0]?.port ?? 0;
  return `
Balafon serves: ${cells.length === 1 ? "cell" : "cells"} ${cells.join(", ")}, ${count(brokers.length, "broker")}, logical cluster ${lkc} (ready in ${(summary.readyMs / 1000).toFixed(1)} s)

${table}${chosen(summary.chosenConfigs)}
Paste this:

  echo hello | kcat -b localhost:${firstPort} -t hello -P
  kcat -b localhost:${firstPort} -t hello -C -e

Over TLS with an API key: ${summary.clientPropertiesFile}

${indent(summary.clientProperties)}
  kcat -F ${summary.librdkafkaPropertiesFile} -t hello -C -e

By name, through the router, as in the cloud: bootstrap.servers=${router.bootstrap}
Where names under localhost are not known, /etc/hosts needs this line:

  ${router.hostsLine}

Provisioning API: ${summary.api} (docs/provisioning-api.md), with an operator's key of ${summary.apiKeyFile}

  curl -u ${summary.apiKey.id}:${summary.apiKey.secret} ${summary.api}/org/v2/environments

Try it: npm run broker -- kill ${brokers[0]?.id ?? 1}${dataOption(summary.dataDirectory)}     More: npm start -- --help
Data: ${summary.dataDirectory}     Ctrl-C ends everything in order.
`;
}

function chosen(configs: CloudSummary["chosenConfigs"]): string {
  const settings = Object.entries(configs).map(([name, value]) => `${name}=${value}`);
  if (settings.length === 0) return "";
  return `\nThe cell has ${settings.join(", ")} (of --set, or of a start with fewer brokers; kept until --set says otherwise)\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

/** Columns as wide as their widest cell. Names are their owners': what a terminal would obey is shown as U+FFFD. */
export function formatTable(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, "\ufffd")));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n")
    .concat("\n");
}
