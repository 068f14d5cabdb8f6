/**
 * What a fleet is: one JSON file, which an operator keeps in version control. Everything that `cdk deploy` makes follows
 * from it. `infra/fleets/` has two documented examples, a fleet for tests and one for production.
 */
export interface FleetConfig {
  /** Goes into the names of stacks: lowercase letters, digits and hyphens. One AWS account and region can hold several. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Three availability zones, by name (`eu-west-1a`); zones of brokers and of clients' host names. */
  readonly zones: readonly [string, string, string];
  /** Clients connect to `<lkc>.<domain>`. A public hosted zone of Route 53 for it, or for its parent, must exist. */
  readonly domain: string;
  readonly hostedZoneId: string;
  readonly certificate: CertificateSource;
  /** How tasks and functions reach AWS (docs/costs.md has what each costs). */
  readonly waysOut: WaysOut;
  /** Whether clients reach the load balancer from the internet, or from inside the VPC only. */
  readonly publicAccess: boolean;
  readonly router: RouterSize;
  readonly cells: readonly CellConfig[];
  /** KMS keys of the fleet's own for tables, bucket, secrets and logs, instead of AWS's. */
  readonly customerManagedKeys: boolean;
  /** Days that logs are kept: one of those that CloudWatch knows. */
  readonly logRetentionDays: number;
  /** Protects tables, bucket and keys from deletion, and keeps them when a stack is destroyed. False for tests only. */
  readonly protectData: boolean;
  /** Where alarms go; none: nobody is told. */
  readonly alarmEmail: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * `secret`: a secret that the operator fills with `{"certificate": PEM with its chain, "privateKey": PEM}`.
 * `acm`: an exportable certificate of ACM, which a scheduled function copies into that secret when it was renewed.
 */
export type CertificateSource = { readonly kind: "secret" } | { readonly kind: "acm"; readonly certificateArn: string };

/**
 * `endpoints`: private subnets with interface endpoints of AWS's services, and no way to the internet. `nat`: private
 * subnets with a NAT gateway a zone. `public`: public addresses and no inbound rule, for tests: the cheapest.
 */
export type WaysOut = "endpoints" | "nat" | "public";

export interface RouterSize {
  readonly tasksPerZone: number;
  /** In units of 1/1024: 256, 512, 1024, … */
  readonly cpu: number;
  readonly memoryMiB: number;
}

export interface CellConfig {
  /** Of its own for ever: its metadata log, and the high bits of its producer ids. */
  readonly number: number;
  readonly brokersPerZone: number;
  /** In units of 1/1024. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly disk: CellDisk;
  /** New logical clusters are placed in active cells only. */
  readonly state: "active" | "draining";
}

/** `ephemeral`: the task's own disk, up to 200 GiB. `ebs`: a gp3 volume for each task. */
export type CellDisk =
  | { readonly kind: "ephemeral"; readonly gib: number }
  | { readonly kind: "ebs"; readonly gib: number; readonly iops: number; readonly throughputMiBps: number };

/** What the cell is called in AWS and in the metadata table. */
export function cellName(fleet: Pick<FleetConfig, "name">, cell: Pick<CellConfig, "number">): string {
  return `${fleet.name}-cell-${cell.number}`;
}

/** What the fleet's certificate must be good for: names of logical clusters, and of brokers in each zone. */
export function certificateNames({ domain, zones }: Pick<FleetConfig, "domain" | "zones">): readonly string[] {
  return [`*.${domain}`, ...zones.map((zone) => `*.${zone}.${domain}`)];
}
