/**
 * A fleet on an AWS emulator, in the order in which an operator would make one:
 *
 *   hosted zone ▶ templates ▶ network, data, API, alarms ▶ certificate ▶ cell, router ▶ operator's key ▶ a first tenant
 *
 * and then, for as long as this process runs, what the emulator lacks: the load balancer, or brokers and router themselves.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { type CellConfig, cellName, certificateNames, type FleetConfig } from "../../infra/fleet/fleet-config.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { systemTimers } from "../../shared/ports/timers.ts";
import { CellMetadata } from "../cell-metadata.ts";
import { emulatorEnvironment } from "../config.ts";
import { type DataLayout, ensureCellSecret, writePrivateFile } from "../data-directory.ts";
import { hostsLineOf } from "../routed-names.ts";
import { ensureCertificates } from "../tls/certificates.ts";
import { Balancer } from "./balancer.ts";
import { readBalancer } from "./balancer-view.ts";
import { BaseStacks, emulatorFleet, removeHostedZones } from "./base-stacks.ts";
import type { DeployedSummary } from "./deployed-summary.ts";
import { EmulatorClient, type EmulatorPlace } from "./emulator-client.ts";
import { FleetProcesses } from "./fleet-processes.ts";
import { ensureOperatorKey, invokeFunction } from "./functions.ts";
import { imagesMsMax, servingMsMax, servingPollMs } from "./limits.ts";
import type { DeployOptions } from "./options.ts";
import { type ApiAccess, ensureReadyTenant, type ReadyTenant } from "./ready-tenant.ts";
import { runCommand } from "./run-command.ts";

/** It cannot be deployed; the message is for the person who asked. */
export class DeploymentError extends Error {
  readonly code = "DEPLOYMENT";
  constructor(message: string) {
    super(message);
    this.name = "DeploymentError";
  }
}

export interface DeploymentOptions {
  readonly options: DeployOptions;
  readonly layout: DataLayout;
  /** What is being done, for the person at the terminal. */
  readonly say: (message: string) => void;
}

const builtImages = "localhost/balafon";

export class Deployment {
  readonly #options: DeploymentOptions;
  readonly #fleet: FleetConfig = emulatorFleet();
  readonly place: EmulatorPlace;
  readonly #client: EmulatorClient;
  readonly #stacks: BaseStacks;
  #balancer: Balancer | undefined;
  #processes: FleetProcesses | undefined;

  constructor(options: DeploymentOptions) {
    this.#options = options;
    const { endpoint, imagePrefix = builtImages } = options.options;
    this.place = { endpoint, region: this.#fleet.region };
    this.#client = new EmulatorClient(this.place);
    this.#stacks = new BaseStacks({
      place: this.place,
      client: this.#client,
      directory: options.layout.directory,
      fleet: this.#fleet,
      imagePrefix,
    });
  }

  /** Resolves when clients are served. Errors: `DeploymentError`, `CommandError`, `EmulatorError`, `StartError`. */
  async start(): Promise<DeployedSummary> {
    const { say, options } = this.#options;
    await this.#findEmulator();
    const inContainers = !options.processes && (await this.#offersContainers());
    if (!inContainers)
      say("brokers and router will run as processes of this machine, on the emulator's DynamoDB and S3");
    if (inContainers && options.imagePrefix === undefined) await this.#buildImages();
    say("making the templates");
    await this.#stacks.synthesize();
    await this.#stacks.bootstrap();
    return inContainers ? this.#startContainers() : this.#startProcesses();
  }

  async #startContainers(): Promise<DeployedSummary> {
    const { layout, say, options } = this.#options;
    say("deploying network, data, provisioning API and alarms");
    await this.#stacks.deploy("network", "data", "certificate", "api", "observability");
    const { authorityFile } = await this.#putCertificate();
    say("deploying a cell of brokers, and the routers");
    await this.#stacks.deploy(`cell-${this.#cell.number}`, "router");
    const api = await this.#deployedApi();
    const tenant = await ensureReadyTenant({ api, layout, authorityFile });
    say("waiting for brokers and routers to serve");
    await this.#balance();
    return this.#summary(tenant, { api: api.url, authorityFile, address: options.address });
  }

  async #startProcesses(): Promise<DeployedSummary> {
    const { layout, say, options } = this.#options;
    const hasApi = await this.#client.offers("apigatewayv2");
    if (!hasApi) say("the emulator has no HTTP APIs: the provisioning API will run on this machine as well");
    say(hasApi ? "deploying data, provisioning API and alarms" : "deploying data and alarms");
    await this.#stacks.deploy("data", "observability", ...(hasApi ? ["api"] : []));
    say("starting brokers and router");
    const processes = new FleetProcesses({
      directory: layout.directory,
      endpoint: options.endpoint,
      base: {
        cell: cellName(this.#fleet, this.#cell),
        metadataTable: this.#stacks.output("data", "MetadataTableName"),
        controlTable: this.#stacks.output("data", "ControlTableName"),
        bucket: this.#stacks.output("data", "BucketName"),
        hasApi,
      },
      say,
    });
    this.#processes = processes;
    const { authorityFile, ownApi } = await processes.start();
    const api = ownApi ?? (await this.#deployedApi());
    this.#keepOperatorKey(api);
    const tenant = await ensureReadyTenant({ api, layout, authorityFile });
    const { address, directory } = processes;
    return { ...(await this.#summary(tenant, { api: api.url, authorityFile, address })), processes: directory };
  }

  async #buildImages(): Promise<void> {
    this.#options.say("building the images of broker and router");
    await runCommand("bash", ["infra/images/build.sh", "--tag-prefix", builtImages], {
      env: emulatorEnvironment(this.place),
      msMax: imagesMsMax,
    });
  }

  async #offersContainers(): Promise<boolean> {
    return (await this.#client.offers("ecs")) && (await this.#client.offers("elasticloadbalancing"));
  }

  /** The API behind the emulator's gateway, with its operator's key. */
  async #deployedApi(): Promise<ApiAccess> {
    const key = await ensureOperatorKey(this.#client, this.#stacks.output("api", "OperatorKeyFunction"));
    // By its path: names under `localhost` are not known to every resolver.
    const [id = ""] = new URL(this.#stacks.output("api", "Url")).hostname.split(".");
    const api = { url: `${this.place.endpoint}/_aws/execute-api/${id}/%24default`, ...key };
    this.#keepOperatorKey(api);
    return api;
  }

  #keepOperatorKey({ keyId, secret }: ApiAccess): void {
    writePrivateFile(this.#options.layout.apiKeyFile, `${JSON.stringify({ id: keyId, secret })}\n`);
  }

  async #summary(
    tenant: ReadyTenant,
    access: { readonly api: string; readonly authorityFile: string; readonly address: string },
  ): Promise<DeployedSummary> {
    const { layout, options } = this.#options;
    return {
      endpoint: options.endpoint,
      apiKeyFile: layout.apiKeyFile,
      ...tenant,
      ...access,
      hostsLine: await this.#hostsLine(tenant.lkc, access.address),
      clientProperties: layout.clientProperties,
      librdkafkaProperties: layout.librdkafkaProperties,
    };
  }

  get #cell(): CellConfig {
    const [cell] = this.#fleet.cells;
    if (cell === undefined) throw new DeploymentError("the fleet has no cell");
    return cell;
  }

  /** Ends what runs in this process; what is deployed stays. */
  async end(): Promise<void> {
    this.#balancer?.end();
    await this.#processes?.end();
  }

  /** Removes what was deployed. */
  async destroy(): Promise<void> {
    await this.#findEmulator();
    const { layout } = this.#options;
    if (!existsSync(path.join(layout.directory, "cdk.out"))) await this.#stacks.synthesize();
    await this.#stacks.destroy();
    await removeHostedZones(this.#client, this.#fleet.domain);
  }

  async #findEmulator(): Promise<void> {
    const { endpoint } = this.place;
    if (await this.#client.isThere()) return;
    throw new DeploymentError(
      `no emulator of AWS answers at ${endpoint}: start one with npm run emulator, or name another with --endpoint URL`,
    );
  }

  async #putCertificate() {
    const { layout } = this.#options;
    const certificates = await ensureCertificates(layout.tlsDirectory, Date.now(), certificateNames(this.#fleet));
    await this.#client.json("secretsmanager", "secretsmanager.PutSecretValue", {
      SecretId: this.#stacks.output("data", "CertificateSecret"),
      SecretString: JSON.stringify({
        certificate: readFileSync(certificates.certificateFile, "utf8"),
        privateKey: readFileSync(certificates.keyFile, "utf8"),
      }),
    });
    // Says whether brokers can use it.
    await invokeFunction(this.#client, this.#stacks.output("certificate", "CertificateFunction"));
    return certificates;
  }

  async #balance(): Promise<void> {
    const balancer = new Balancer({
      address: this.#options.options.address,
      look: () => readBalancer(this.#client, `${this.#fleet.name}-router`),
      timers: systemTimers,
      fraction: () => systemRandom.fraction(),
    });
    this.#balancer = balancer;
    await balancer.start();
    await until(
      () => balancer.healthy > 0,
      "no router is healthy: does the emulator really run containers? (npm run emulator does; podman ps shows them)",
    );
  }

  /** Names of all brokers of the cell, once all have registered. */
  async #hostsLine(lkc: string, address: string): Promise<string> {
    const { layout } = this.#options;
    ensureCellSecret(layout.cellSecretFile);
    const metadata = await CellMetadata.open(
      {
        cell: cellName(this.#fleet, this.#cell),
        cellSecretFile: layout.cellSecretFile,
        items: { kind: "dynamodb", ...this.place, table: this.#stacks.output("data", "MetadataTableName") },
        objects: { kind: "s3", ...this.place, bucket: this.#stacks.output("data", "BucketName") },
      },
      "deploy-local",
    );
    try {
      const wanted = this.#fleet.zones.length;
      await until(() => metadata.image.brokers.size >= wanted, "not all brokers of the cell have registered");
      const brokers = [...metadata.image.brokers.values()].map(({ brokerId, zone }) => ({ id: brokerId, zone }));
      return hostsLineOf({ address, domain: this.#fleet.domain, lkc, brokers });
    } finally {
      metadata.close();
    }
  }
}

/** Errors: `DeploymentError`. */
async function until(isSo: () => boolean, otherwise: string): Promise<void> {
  const deadlineMs = performance.now() + servingMsMax;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new DeploymentError(otherwise);
    await new Promise<void>((resolve) => systemTimers.after(servingPollMs, resolve));
  }
}
