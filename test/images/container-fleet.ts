/** The smallest fleet of `infra/fleets` in containers: a broker a zone and a router, on the stores of an AWS emulator. */
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Template } from "aws-cdk-lib/assertions";
import { httpApi } from "../../functions/middleware/http-api.ts";
import { awsControlPlane } from "../../functions/provisioning/aws-control-plane.ts";
import { ProvisioningClient } from "../../functions/provisioning/client.ts";
import { functionConfig } from "../../functions/provisioning/config.ts";
import { ensureOperatorKey } from "../../functions/provisioning/operator-key.ts";
import { ProvisioningApi } from "../../functions/provisioning/provisioning-api.ts";
import type { FleetConfig } from "../../infra/fleet/fleet-config.ts";
import type { FleetStacks } from "../../infra/fleet-stacks.ts";
import { ports } from "../../infra/ports.ts";
import { type LocalApiGateway, startApiGateway } from "../../local/api/api-gateway.ts";
import { ensureDynamodbTable } from "../../local/dynamodb-setup.ts";
import { ensureBucket } from "../../local/s3-bucket.ts";
import { issueAuthority, issueServerCertificate } from "../../local/tls/issue.ts";
import { systemClock } from "../../shared/ports/clock.ts";
import { systemTimers } from "../../shared/ports/timers.ts";
import { createJsonLogger } from "../../shared/telemetry/logger.ts";
import type { ConnectionSettings } from "../cell/test-client.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { tryPodman } from "./podman.ts";
import { synthesizeFleet, type Task, tasksOf } from "./task.ts";
import { TaskContainer } from "./task-container.ts";
import { TaskMetadata } from "./task-metadata.ts";

export interface ContainerFleetOptions {
  /** Begins the names of containers, volumes and the network; of this run alone. */
  readonly run: string;
  readonly imagePrefix: string;
  /** The emulator on this machine. It must listen on all addresses. */
  readonly endpointPort: number;
  /** For directories that stand for volumes. */
  readonly directory: string;
}

export interface Tenant {
  readonly lkc: string;
  readonly keyId: string;
  readonly secret: string;
}

/** Where names of logical clusters lead to; an address of loopback that other clouds on this machine do not use. */
const balancerAddress = "127.0.0.77";
/** Stands for the group that ECS makes for an EBS volume. */
const volumeGroup = 4_321;
const dayMs = 86_400_000;

export class ContainerFleet {
  readonly brokers: TaskContainer[] = [];
  readonly routers: TaskContainer[] = [];
  readonly fleet: FleetConfig;
  readonly brokerTasks: readonly Task[];
  readonly routerTasks: readonly Task[];
  readonly network: ContainerNetwork;
  readonly #options: ContainerFleetOptions;
  readonly #stacks: FleetStacks;
  readonly #values: StoreNames;
  #metadata: TaskMetadata | undefined;
  #balancer: LoadBalancer | undefined;
  #gateway: LocalApiGateway | undefined;
  #api: ProvisioningClient | undefined;
  #authority = "";
  #made = 0;

  private constructor(options: ContainerFleetOptions, network: ContainerNetwork, values: StoreNames) {
    const { imagePrefix } = options;
    const { fleet, stacks } = synthesizeFleet("test", {
      architecture: process.arch === "arm64" ? "arm64" : "x86_64",
      brokerImage: `${imagePrefix}-broker`,
      routerImage: `${imagePrefix}-router`,
    });
    this.#options = options;
    this.network = network;
    this.#values = values;
    this.fleet = fleet;
    this.#stacks = stacks;
    const { metadataTable, controlTable, bucket, cellSecretArn, certificateSecretArn } = values;
    this.brokerTasks = tasksOf(stacks.cells[0]!, {
      BALAFON_METADATA_TABLE: metadataTable,
      BALAFON_CONTROL_TABLE: controlTable,
      BALAFON_BUCKET: bucket,
      BALAFON_CELL_SECRET_ARN: cellSecretArn,
      BALAFON_CERTIFICATE_SECRET_ARN: certificateSecretArn,
      BALAFON_ROUTER_NETWORKS: network.subnet,
    });
    this.routerTasks = tasksOf(stacks.router, {
      BALAFON_METADATA_TABLE: metadataTable,
      BALAFON_BUCKET: bucket,
      BALAFON_BALANCER_NETWORKS: `${network.gateway}/32`,
    });
  }

  /** Makes network, stores and secrets, and starts a broker in each zone and a router: none has to be healthy yet. */
  static async start(options: ContainerFleetOptions): Promise<ContainerFleet> {
    const network = await makeNetwork(options.run);
    const fleet = new ContainerFleet(options, network, await makeStores(options));
    try {
      await fleet.#start();
      return fleet;
    } catch (error) {
      await fleet.dispose();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.#metadata = await TaskMetadata.listen();
    await this.#issueCertificate();
    for (let zone = 0; zone < this.brokerTasks.length; zone++) await this.runBroker(zone);
    const router = await this.runRouter();
    this.#balancer = await LoadBalancer.listen(balancerAddress, ports.kafka, [router.place.address]);
    await this.#startApi();
  }

  /** A new task in a zone. In the last zone the data is on a volume that ECS attaches: root's, for a group to write to. */
  async runBroker(zone: number, changed: Readonly<Record<string, string>> = {}): Promise<TaskContainer> {
    const task = this.brokerTasks[zone]!;
    const number = ++this.#made;
    const name = `${this.#options.run}-broker-${number}`;
    const attached = zone === this.brokerTasks.length - 1;
    const container = await TaskContainer.run(
      { ...task, environment: { ...task.environment, ...changed } },
      {
        ...this.#place(name, 10 + number),
        ...(attached ? { volume: { path: "/data", directory: this.#makeVolume(name), group: volumeGroup } } : {}),
      },
    );
    this.brokers.push(container);
    return container;
  }

  async runRouter(): Promise<TaskContainer> {
    const number = ++this.#made;
    const place = this.#place(`${this.#options.run}-router-${number}`, 10 + number);
    const container = await TaskContainer.run(this.routerTasks[0]!, place);
    this.routers.push(container);
    return container;
  }

  /** The task is over, with its volumes; another one takes its place. */
  async replaceBroker(broker: TaskContainer): Promise<TaskContainer> {
    const zone = this.fleet.zones.findIndex((name) => name === broker.task.environment["BALAFON_ZONE"]);
    await this.removeBroker(broker);
    return this.runBroker(zone);
  }

  async removeBroker(broker: TaskContainer): Promise<void> {
    await broker.remove();
    this.brokers.splice(this.brokers.indexOf(broker), 1);
  }

  /** New connections go to this router. */
  balanceTo(router: TaskContainer): void {
    if (this.#balancer !== undefined) this.#balancer.targets = [router.place.address];
  }

  /** A logical cluster with a key, by the provisioning API. */
  async makeTenant(name: string): Promise<Tenant> {
    const api = this.#api!;
    const { id: lkc } = await api.call("createCluster", { body: { spec: { display_name: name } } });
    const { id: keyId, spec } = await api.call("createApiKey", { body: { spec: { resource: { id: lkc } } } });
    return { lkc, keyId, secret: spec.secret! };
  }

  /** By name, through load balancer and router. */
  connection({ lkc, keyId, secret }: Tenant): ConnectionSettings {
    return {
      bootstrap: [`${lkc}.${this.fleet.domain}:${ports.kafka}`],
      secure: { authority: this.#authority, username: keyId, password: secret, throughRouter: balancerAddress },
    };
  }

  async dispose(): Promise<void> {
    await this.#balancer?.close();
    await this.#gateway?.close();
    await this.#metadata?.close();
    await Promise.all([...this.brokers, ...this.routers].map((container) => container.remove()));
    await tryPodman(["network", "rm", "--force", this.network.name]);
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  #place(name: string, host: number) {
    const address = this.network.address(host);
    const { gateway } = this.network;
    const environment = {
      ECS_CONTAINER_METADATA_URI_V4: this.#metadata!.uri(gateway, address),
      AWS_ENDPOINT_URL: `http://${gateway}:${this.#options.endpointPort}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    };
    return { name, network: this.network.name, address, environment };
  }

  /** As ECS makes an ext4 volume for a user that is not root. */
  #makeVolume(name: string): string {
    const directory = path.join(this.#options.directory, name);
    mkdirSync(path.join(directory, "lost+found"), { recursive: true, mode: 0o700 });
    chownSync(directory, 0, volumeGroup);
    chmodSync(directory, 0o2775);
    return directory;
  }

  async #issueCertificate(): Promise<void> {
    const nowMs = Date.now();
    const validity = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs };
    const authority = await issueAuthority(validity);
    const { domain, zones } = this.fleet;
    const server = await issueServerCertificate({
      ...validity,
      authorityPem: authority.certificatePem,
      authorityKeyPem: authority.keyPem,
      names: [`*.${domain}`, ...zones.map((zone) => `*.${zone}.${domain}`)],
      addresses: [],
    });
    this.#authority = authority.certificatePem;
    await putSecret(this.#values.certificateSecretArn, {
      certificate: server.certificatePem,
      privateKey: server.keyPem,
    });
  }

  /** The function behind the HTTP API, in this process, with the environment that the stack gives it. */
  async #startApi(): Promise<void> {
    const functions = Template.fromStack(this.#stacks.api).findResources("AWS::Lambda::Function") as Record<
      string,
      { readonly Properties: { readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> } } }
    >;
    const fleet = Object.values(functions)
      .map(({ Properties }) => Properties.Environment?.Variables?.["FLEET"])
      .find((value) => typeof value === "string");
    const plane = awsControlPlane(
      functionConfig({
        AWS_REGION: this.fleet.region,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${this.#options.endpointPort}`,
        CONTROL_TABLE: this.#values.controlTable,
        METADATA_TABLE: this.#values.metadataTable,
        FLEET: fleet,
      }),
      "provisioning",
    );
    const key = await ensureOperatorKey(plane, undefined, () => undefined);
    const api = new ProvisioningApi(plane);
    const logger = createJsonLogger({ clock: systemClock, level: "warn", write: (line) => process.stderr.write(line) });
    this.#gateway = await startApiGateway(
      0,
      httpApi({ answer: (request) => api.answer(request), logger, clock: systemClock }),
    );
    this.#api = new ProvisioningClient({ baseUrl: `http://127.0.0.1:${this.#gateway.port}`, ...key });
  }
}

interface StoreNames {
  readonly metadataTable: string;
  readonly controlTable: string;
  readonly bucket: string;
  readonly cellSecretArn: string;
  readonly certificateSecretArn: string;
}

/** Tables, bucket and secrets as the data stack and the cell's stack have them when they were just made. */
async function makeStores({ run, endpointPort }: ContainerFleetOptions): Promise<StoreNames> {
  const place = { endpoint: `http://127.0.0.1:${endpointPort}`, region: "us-east-1" };
  const names = { metadataTable: `${run}-metadata`, controlTable: `${run}-control`, bucket: run };
  await ensureDynamodbTable({ ...place, table: names.metadataTable, kind: "number" }, systemTimers);
  await ensureDynamodbTable({ ...place, table: names.controlTable, kind: "text" }, systemTimers);
  await ensureBucket({ ...place, bucket: names.bucket });
  return {
    ...names,
    cellSecretArn: await makeSecret(`${run}-cell`),
    certificateSecretArn: await makeSecret(`${run}-certificate`),
  };
}

/** With a text that CloudFormation makes up. Resolves with its ARN. */
export async function makeSecret(name: string): Promise<string> {
  const client = new SecretsManagerClient({});
  const made = await client.send(
    new CreateSecretCommand({ Name: name, SecretString: randomBytes(32).toString("hex") }),
  );
  return made.ARN!;
}

async function putSecret(arn: string, value: object): Promise<void> {
  await new SecretsManagerClient({}).send(
    new PutSecretValueCommand({ SecretId: arn, SecretString: JSON.stringify(value) }),
  );
}

interface ContainerNetwork {
  readonly name: string;
  readonly subnet: string;
  /** Of this machine. */
  readonly gateway: string;
  address(host: number): string;
}

/** A bridge of this run's own, in a subnet that this machine does not know yet. */
async function makeNetwork(name: string): Promise<ContainerNetwork> {
  const taken = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  let complaint = "";
  for (let third = 10; third < 30; third++) {
    const begin = `10.213.${third}.`;
    if (taken.some((address) => address.startsWith(begin))) continue;
    const subnet = `${begin}0/24`;
    const made = await tryPodman(["network", "create", "--subnet", subnet, "--gateway", `${begin}1`, name]);
    if (made.code === 0) return { name, subnet, gateway: `${begin}1`, address: (host) => `${begin}${host}` };
    complaint = made.stderr;
  }
  throw new Error(`no network for containers could be made: ${complaint}`);
}
