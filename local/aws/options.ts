import { describeOptions, parseOptions } from "../command-line/options.ts";
import { awsEndpoint } from "../config.ts";

const defaultEndpoint = "http://127.0.0.1:4566";
const defaultAddress = "127.0.0.1";

const optionSpecs = [
  {
    name: "endpoint",
    kind: "text",
    placeholder: "URL",
    help: `Where the emulator listens. Default: AWS_ENDPOINT_URL, or ${defaultEndpoint}.`,
  },
  {
    name: "data",
    kind: "text",
    placeholder: "DIR",
    help: "Keep certificates, keys, templates and (with --processes) records in DIR.\nDefault: .balafon-aws in the project, ignored by git.",
  },
  { name: "destroy", kind: "flag", help: "Remove everything that a deployment made, and DIR's files." },
  {
    name: "processes",
    kind: "flag",
    help: "Run brokers and router as processes of this machine, on the emulator's DynamoDB\nand S3, even if it runs containers.",
  },
  {
    name: "image-prefix",
    kind: "text",
    placeholder: "NAME",
    help: "Images NAME-broker and NAME-router that the emulator's container engine has.\nDefault: built by infra/images/build.sh, as root.",
  },
  {
    name: "listen",
    kind: "text",
    placeholder: "ADDRESS",
    help: `Where clients reach the load balancer, at port 9092. Default: ${defaultAddress}.`,
  },
  { name: "json", kind: "flag", help: "When ready, print one line of JSON on stdout and nothing else there." },
  { name: "help", kind: "flag", help: "Show this." },
] as const;

export interface DeployOptions {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** As typed; undefined for the default. */
  readonly dataDirectory: string | undefined;
  readonly destroy: boolean;
  readonly processes: boolean;
  readonly imagePrefix: string | undefined;
  readonly address: string;
  readonly json: boolean;
}

export type DeployCommand =
  | { readonly kind: "deploy"; readonly options: DeployOptions }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: string };

export function parseDeployCommand(argv: readonly string[]): DeployCommand {
  const parsed = parseOptions(argv, optionSpecs);
  if (parsed.kind === "refused") return parsed;
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help", text: deployHelp() };
  if (positionals[0] !== undefined) return { kind: "refused", problem: `${positionals[0]} is not an option` };
  const endpoint = values.endpoint ?? awsEndpoint() ?? defaultEndpoint;
  if (!URL.canParse(endpoint) || !["http:", "https:"].includes(new URL(endpoint).protocol)) {
    return { kind: "refused", problem: `the endpoint must be an http or https URL, not ${JSON.stringify(endpoint)}` };
  }
  return {
    kind: "deploy",
    options: {
      endpoint: endpoint.replace(/\/+$/, ""),
      dataDirectory: values.data,
      destroy: values.destroy,
      processes: values.processes,
      imagePrefix: values["image-prefix"],
      address: values.listen ?? defaultAddress,
      json: values.json,
    },
  };
}

function deployHelp(): string {
  return `A whole fleet on an AWS emulator: what \`cdk deploy\` makes in an account, with brokers and routers in containers.

  npm run emulator                    in one terminal: an emulator with containers, on port 4566
  npm run deploy:local                in another: deploys, then stands for the load balancer until Ctrl-C
  npm run deploy:local -- --destroy   removes it

Options:
${describeOptions(optionSpecs)}`;
}
