/** What `cdk` makes on an emulator, and what has to be there around it: a hosted zone before, a certificate and a key after. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FleetConfig } from "../../infra/fleet/fleet-config.ts";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { emulatorEnvironment } from "../config.ts";
import { writePrivateFile } from "../data-directory.ts";
import { type EmulatorClient, type EmulatorPlace, xmlTexts } from "./emulator-client.ts";
import { cdkMsMax } from "./limits.ts";
import { runCommand } from "./run-command.ts";

const fleetExample = fileURLToPath(new URL("../../infra/fleets/emulator.json", import.meta.url));

export function emulatorFleet(): FleetConfig {
  const read = readFleetConfig(JSON.parse(readFileSync(fleetExample, "utf8")));
  if (read.kind === "invalid") throw new Error(`${fleetExample}: ${read.problems.join("; ")}`);
  return read.fleet;
}

/** What the stacks told, by stack and name. */
type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface CdkOptions {
  readonly place: EmulatorPlace;
  readonly client: EmulatorClient;
  /** For the fleet's file, the synthesized templates and what they told. */
  readonly directory: string;
  readonly fleet: FleetConfig;
  /** `PREFIX-broker` and `PREFIX-router` are images that the emulator's container engine has. */
  readonly imagePrefix: string;
}

const synthesized = "cdk.out";

export class BaseStacks {
  readonly #options: CdkOptions;
  #outputs: Outputs = {};

  constructor(options: CdkOptions) {
    this.#options = options;
  }

  /** Templates of all stacks, from which everything else is deployed: the functions are bundled once. */
  async synthesize(): Promise<void> {
    const { fleet, directory, imagePrefix } = this.#options;
    const example = JSON.parse(readFileSync(fleetExample, "utf8")) as object;
    const file = path.join(directory, "fleet.json");
    writePrivateFile(file, JSON.stringify({ ...example, hostedZoneId: await this.#hostedZone(fleet.domain) }));
    const context = {
      fleet: file,
      emulator: "true",
      brokerImage: `${imagePrefix}-broker:latest`,
      routerImage: `${imagePrefix}-router:latest`,
      architecture: process.arch === "x64" ? "x86_64" : "arm64",
    };
    const pairs = Object.entries(context).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    await this.#cdk(["synth", "--quiet", "--output", this.#synthesized, ...pairs]);
  }

  async bootstrap(): Promise<void> {
    const { fleet } = this.#options;
    await this.#cdk(["bootstrap", `aws://${fleet.account}/${fleet.region}`]);
  }

  /** By the part of a stack's name after the fleet's. Stacks that they depend on are deployed as well. */
  async deploy(...stacks: readonly string[]): Promise<void> {
    const file = path.join(this.#options.directory, "outputs.json");
    await this.#cdk([
      "deploy",
      ...stacks.map((stack) => this.#stackName(stack)),
      "--app",
      this.#synthesized,
      "--require-approval",
      "never",
      "--concurrency",
      "4",
      "--outputs-file",
      file,
    ]);
    this.#outputs = { ...this.#outputs, ...(JSON.parse(readFileSync(file, "utf8")) as Outputs) };
  }

  /** All stacks that a synthesis names. */
  async destroy(): Promise<void> {
    await this.#cdk(["destroy", "--all", "--force", "--app", this.#synthesized]);
  }

  output(stack: string, name: string): string {
    const value = this.#outputs[this.#stackName(stack)]?.[name];
    if (value === undefined) throw new Error(`the stack ${this.#stackName(stack)} told no ${name}`);
    return value;
  }

  get #synthesized(): string {
    return path.join(this.#options.directory, synthesized);
  }

  #stackName(stack: string): string {
    return `${this.#options.fleet.name}-${stack}`;
  }

  async #cdk(args: readonly string[]): Promise<void> {
    const env = emulatorEnvironment(this.#options.place);
    await runCommand("cdk", [...args, "--no-notices"], { env, msMax: cdkMsMax });
  }

  /** The id of the domain's hosted zone, which an operator would have. */
  async #hostedZone(domain: string): Promise<string> {
    const { client } = this.#options;
    const known = await hostedZones(client, domain);
    if (known[0] !== undefined) return known[0];
    await client.rest(
      "route53",
      "POST",
      "/2013-04-01/hostedzone",
      `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${domain}</Name><CallerReference>balafon</CallerReference></CreateHostedZoneRequest>`,
    );
    const [made] = await hostedZones(client, domain);
    if (made === undefined) throw new Error(`the emulator made no hosted zone for ${domain}`);
    return made;
  }
}

async function hostedZones(client: EmulatorClient, domain: string): Promise<readonly string[]> {
  const xml = await client.rest("route53", "GET", "/2013-04-01/hostedzone");
  const names = xmlTexts(xml, "Name");
  const ids = xmlTexts(xml, "Id");
  return ids.flatMap((id, at) => (names[at] === `${domain}.` ? [id.replace("/hostedzone/", "")] : []));
}

/** Removes the domain's hosted zones, once nothing of ours is in them. */
export async function removeHostedZones(client: EmulatorClient, domain: string): Promise<void> {
  for (const id of await hostedZones(client, domain)) {
    await client.rest("route53", "DELETE", `/2013-04-01/hostedzone/${id}`);
  }
}
