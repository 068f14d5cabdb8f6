/** `npm run admin -- create-cluster NAME | create-key LKC | list [--json]`: logical clusters and API keys of the running cloud. */
import { internalLogicalCluster } from "../shared/tenancy/logical-cluster-id.ts";
import { CellMetadata } from "./cell-metadata.ts";
import { javaClientProperties, librdkafkaProperties } from "./client-files.ts";
import { describeOptions, parseOptions } from "./command-line/options.ts";
import { dataOption } from "./data-directory.ts";
import { hostsLine, routedBootstrap } from "./routed-names.ts";
import { findRun, type RunFile } from "./run-file.ts";
import { formatTable } from "./summary.ts";
import { untilApplied } from "./until-applied.ts";

const optionSpecs = [
  { name: "json", kind: "flag", help: "Print JSON." },
  {
    name: "data",
    kind: "text",
    placeholder: "DIR",
    help: "The data directory of the cloud, if it is not the default one.",
  },
  { name: "help", kind: "flag", help: "Show this." },
] as const;

const help = `Logical clusters and API keys of the running local cloud.

  npm run admin -- create-cluster NAME    makes a logical cluster; prints its id
  npm run admin -- create-key LKC         makes an API key; prints its secret, once
  npm run admin -- list                   what there is

Of several cells (npm start -- --cells N) it acts on the first; the provisioning API reaches them all.

Options:
${describeOptions(optionSpecs)}`;

interface Output {
  readonly text: string;
  readonly json: unknown;
  /** Wait until every broker knows of it. */
  readonly usableAtOnce?: boolean;
}

interface Place {
  readonly metadata: CellMetadata;
  readonly run: RunFile;
  readonly directory: string;
}

type Action = (place: Place, argument: string) => Promise<Output>;

const actions: Readonly<Record<string, { readonly argument: string | undefined; readonly act: Action }>> = {
  "create-cluster": { argument: "NAME", act: createCluster },
  "create-key": { argument: "LKC", act: createKey },
  list: { argument: undefined, act: list },
};

async function createCluster({ metadata, directory }: Place, name: string): Promise<Output> {
  const lkc = await metadata.createCluster(name);
  const text = `${lkc} is ready. Make a key for it: npm run admin -- create-key ${lkc}${dataOption(directory)}\n`;
  return { text, json: { lkc, name } };
}

async function createKey({ metadata, run }: Place, lkc: string): Promise<Output> {
  const credentials = await metadata.createKey(lkc);
  const access = { bootstrap: run.secureBootstrap, authorityFile: run.authorityFile };
  const routerBootstrap = routedBootstrap(lkc, run.router.port);
  const java = javaClientProperties(access, credentials);
  const librdkafka = librdkafkaProperties(access, credentials);
  return {
    text: `A key of ${lkc}. The secret is shown this once.

client.properties for the Java client and Kafka's tools:

${java}
librdkafka.properties for kcat -F and every client on librdkafka:

${librdkafka}
By name, through the router: bootstrap.servers=${routerBootstrap}
Where names under localhost are not known, /etc/hosts needs this line:

${hostsLine(lkc, run.firstCell)}
`,
    json: { lkc, ...credentials, bootstrap: access.bootstrap, routerBootstrap, authorityFile: access.authorityFile },
    usableAtOnce: true,
  };
}

function list({ metadata }: Place): Promise<Output> {
  const { logicalClusters, apiKeys } = metadata.image;
  const tenants = [...logicalClusters.values()].filter(({ lkc }) => lkc !== internalLogicalCluster);
  const clusters = tenants.map(({ lkc, name }) => ({
    lkc,
    name,
    keys: [...apiKeys.values()].filter((key) => key.lkc === lkc).map(({ keyId }) => keyId),
    topics: metadata.image.topicsOf(lkc)?.size ?? 0,
  }));
  const rows = clusters.map(({ lkc, name, keys, topics }) => [lkc, name, String(topics), keys.join(" ")]);
  const text = formatTable([["logical cluster", "name", "topics", "keys"], ...rows]);
  return Promise.resolve({ text, json: { clusters } });
}

async function run(argv: readonly string[]): Promise<number> {
  const parsed = parseOptions(argv, optionSpecs);
  if (parsed.kind === "refused") return fail(parsed.problem);
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [word = "", argument = "", ...rest] = positionals;
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action === undefined || (argument !== "") !== (action.argument !== undefined) || rest.length > 0) {
    return fail(
      `expected ${Object.keys(actions)
        .map((name) => `${name} ${actions[name]?.argument ?? ""}`.trim())
        .join(" | ")}`,
    );
  }
  const found = findRun(values.data);
  if (found.kind === "not-running") return fail(found.message);
  const { cellSecretFile, directory } = found.layout;
  const metadata = await CellMetadata.open({ ...found.run, cellSecretFile }, "local-admin");
  try {
    const output = await action.act({ metadata, run: found.run, directory }, argument);
    if (output.usableAtOnce === true) await untilApplied(found.run, metadata.image.seq);
    process.stdout.write(values.json ? `${JSON.stringify(output.json)}\n` : output.text);
    return 0;
  } finally {
    metadata.close();
  }
}

function fail(problem: string): number {
  process.stderr.write(`${problem}\nnpm run admin -- --help explains the commands.\n`);
  return 1;
}

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) =>
  fail(error instanceof Error ? error.message : String(error)),
);
