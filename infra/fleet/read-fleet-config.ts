import { ConfigReader } from "../../shared/broker-config/config-reader.ts";
import type { CellConfig, CellDisk, CertificateSource, FleetConfig } from "./fleet-config.ts";
import {
  brokersPerZoneMax,
  cellsMax,
  ephemeralGibMax,
  ephemeralGibMin,
  fargateMemoryMiB,
  logRetentionDays,
  volumeGibMax,
  volumeIopsPerGib,
  volumeIopsPerMibps,
} from "./limits.ts";

export type FleetConfigResult =
  | { readonly kind: "valid"; readonly fleet: FleetConfig }
  /** One sentence a problem, each naming the field. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** Reads a parsed JSON value; unknown and missing fields are refused, all problems are told at once. */
export function readFleetConfig(json: unknown): FleetConfigResult {
  const reader = new ConfigReader(json, "");
  const fleet: FleetConfig = {
    name: matching(
      reader,
      "name",
      /^[a-z][a-z0-9-]{0,19}$/,
      "must be lowercase letters, digits and hyphens, 20 at most",
    ),
    account: matching(reader, "account", /^\d{12}$/, "must be the 12 digits of an AWS account"),
    region: matching(reader, "region", /^[a-z]{2}(-[a-z]+)+-\d$/, "must be an AWS region"),
    zones: readZones(reader),
    domain: matching(reader, "domain", /^([a-z0-9-]+\.)+[a-z]{2,}$/, "must be a domain name in lowercase"),
    hostedZoneId: matching(reader, "hostedZoneId", /^Z[A-Z0-9]+$/, "must be the id of a hosted zone"),
    certificate: readCertificate(reader.object("certificate")),
    waysOut: reader.oneOf("waysOut", ["endpoints", "nat", "public"]),
    publicAccess: reader.flag("publicAccess"),
    router: readRouter(reader.object("router")),
    cells: reader.objects("cells").map(readCell),
    customerManagedKeys: reader.flag("customerManagedKeys"),
    logRetentionDays: reader.integer("logRetentionDays", 1, 3_653),
    protectData: reader.flag("protectData"),
    alarmEmail: reader.optionalText("alarmEmail"),
    tags: reader.textsByName("tags"),
  };
  reader.finish();
  refuseTogether(reader, fleet);
  const { problems } = reader;
  return problems.length === 0 ? { kind: "valid", fleet } : { kind: "invalid", problems };
}

function refuseTogether(reader: ConfigReader, fleet: FleetConfig): void {
  const numbers = fleet.cells.map(({ number }) => number);
  if (new Set(numbers).size < numbers.length) reader.refuse("cells", "two cells have the same number");
  if (numbers.length === 0 || numbers.length > cellsMax) reader.refuse("cells", `there must be 1 to ${cellsMax}`);
  if (new Set(fleet.zones).size < 3) reader.refuse("zones", "three different zones are needed");
  if (!fleet.zones.every((zone) => zone.startsWith(fleet.region))) reader.refuse("zones", "must be of the region");
  const { certificate } = fleet;
  if (certificate.kind === "acm" && certificate.certificateArn.split(":")[3] !== fleet.region)
    reader.refuse("certificate", "must be of the fleet's region");
  if (!logRetentionDays.has(fleet.logRetentionDays))
    reader.refuse("logRetentionDays", "must be a retention that CloudWatch Logs knows, such as 7, 30, 90 or 365");
}

function matching(reader: ConfigReader, field: string, pattern: RegExp, fault: string): string {
  const text = reader.text(field);
  if (!pattern.test(text)) reader.refuse(field, fault);
  return text;
}

function readZones(reader: ConfigReader): FleetConfig["zones"] {
  const zones = reader.optionalTexts("zones");
  const [a = "", b = "", c = ""] = zones;
  if (zones.length !== 3) reader.refuse("zones", "three are needed");
  return [a, b, c];
}

function readCertificate(reader: ConfigReader): CertificateSource {
  const kind = reader.oneOf("kind", ["secret", "acm"]);
  const certificate: CertificateSource =
    kind === "secret"
      ? { kind }
      : {
          kind,
          certificateArn: matching(
            reader,
            "certificateArn",
            /^arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate\//,
            "must be the ARN of a certificate of ACM",
          ),
        };
  reader.finish();
  return certificate;
}

function readRouter(reader: ConfigReader): FleetConfig["router"] {
  const router = { tasksPerZone: reader.integer("tasksPerZone", 1, 100), ...readSize(reader) };
  reader.finish();
  return router;
}

function readCell(reader: ConfigReader): CellConfig {
  const cell: CellConfig = {
    number: reader.integer("number", 0, 0x7fff),
    brokersPerZone: reader.integer("brokersPerZone", 1, brokersPerZoneMax),
    ...readSize(reader),
    disk: readDisk(reader.object("disk")),
    state: reader.oneOf("state", ["active", "draining"]),
  };
  reader.finish();
  return cell;
}

/** Fargate takes certain pairs only; those that it refuses are told before anything is deployed. */
function readSize(reader: ConfigReader): { readonly cpu: number; readonly memoryMiB: number } {
  const cpu = reader.integer("cpu", 256, 16_384);
  const memoryMiB = reader.integer("memoryMiB", 512, 122_880);
  const memory = fargateMemoryMiB.get(cpu);
  if (memory === undefined) {
    reader.refuse("cpu", `must be one of ${[...fargateMemoryMiB.keys()].join(", ")}`);
    return { cpu, memoryMiB };
  }
  const { min, max, step } = memory;
  if (memoryMiB < min || memoryMiB > max || memoryMiB % step !== 0)
    reader.refuse("memoryMiB", `must be ${min} to ${max} in steps of ${step} with a cpu of ${cpu}`);
  return { cpu, memoryMiB };
}

function readDisk(reader: ConfigReader): CellDisk {
  const kind = reader.oneOf("kind", ["ephemeral", "ebs"]);
  const disk: CellDisk =
    kind === "ephemeral"
      ? { kind, gib: reader.integer("gib", ephemeralGibMin, ephemeralGibMax) }
      : {
          kind,
          gib: reader.integer("gib", 20, volumeGibMax),
          iops: reader.integer("iops", 3_000, 16_000),
          throughputMiBps: reader.integer("throughputMiBps", 125, 1_000),
        };
  reader.finish();
  if (disk.kind === "ebs") refuseVolume(reader, disk);
  return disk;
}

function refuseVolume(reader: ConfigReader, { gib, iops, throughputMiBps }: Extract<CellDisk, { kind: "ebs" }>): void {
  if (iops > Math.max(3_000, gib * volumeIopsPerGib))
    reader.refuse("iops", `must be ${volumeIopsPerGib} for each GiB at most`);
  if (throughputMiBps * volumeIopsPerMibps > iops)
    reader.refuse("throughputMiBps", `needs ${volumeIopsPerMibps} iops for each MiB/s`);
}
