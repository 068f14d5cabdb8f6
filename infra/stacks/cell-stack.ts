import { RemovalPolicy, Size, Stack, type StackProps } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as ecs from "aws-cdk-lib/aws-ecs";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as logs from "aws-cdk-lib/aws-logs";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { cellLoads } from "../../shared/control/items/cell-load-item.ts";
import { DeployableTask, dataPath, dataVolume } from "../constructs/deployable-task.ts";
import { type CellConfig, cellName, type FleetConfig } from "../fleet/fleet-config.ts";
import { ports } from "../ports.ts";
import type { DataStack } from "./data-stack.ts";
import type { NetworkStack } from "./network-stack.ts";

export interface CellStackProps extends StackProps {
  readonly fleet: FleetConfig;
  readonly cell: CellConfig;
  readonly network: NetworkStack;
  readonly data: DataStack;
}

/**
 * One cell: a service of brokers for each zone. A deployment changes one zone after the other, and the next only when the
 * one before is steady.
 */
export class CellStack extends Stack {
  readonly services: readonly ecs.FargateService[];
  readonly cellName: string;
  readonly #key: kms.IKey | undefined;

  constructor(scope: Construct, id: string, props: CellStackProps) {
    super(scope, id, props);
    const { fleet, network } = props;
    this.cellName = cellName(fleet, props.cell);
    const cluster = new ecs.Cluster(this, "Cluster", {
      vpc: network.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    }) as ecs.ICluster;
    this.#key = props.data.keyFor(this);
    const encryption = this.#key === undefined ? {} : { encryptionKey: this.#key };
    const cellSecret = new secretsmanager.Secret(this, "CellSecret", {
      description: `Proves the brokers of ${this.cellName} to one another`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...encryption,
    });
    const logGroup = new logs.LogGroup(this, "Logs", {
      retention: fleet.logRetentionDays as logs.RetentionDays,
      removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...encryption,
    });
    this.services = fleet.zones.map((zone, index) =>
      this.#zoneService({ ...props, zone, index }, { cluster, cellSecret, logGroup }),
    );
    for (const [index, service] of this.services.entries()) {
      const before = this.services[index - 1];
      if (before !== undefined) service.node.addDependency(before);
    }
  }

  #zoneService(
    props: CellStackProps & { readonly zone: string; readonly index: number },
    shared: {
      readonly cluster: ecs.ICluster;
      readonly cellSecret: secretsmanager.Secret;
      readonly logGroup: logs.LogGroup;
    },
  ): ecs.FargateService {
    const { fleet, cell, network, data, zone } = props;
    const { disk } = cell;
    const task = new DeployableTask(this, `Brokers${props.index + 1}`, {
      deployable: "broker",
      cpu: cell.cpu,
      memoryMiB: cell.memoryMiB,
      ...(disk.kind === "ephemeral" ? { ephemeralGib: disk.gib } : {}),
      logGroup: shared.logGroup,
      healthPort: ports.admin,
      environment: {
        BALAFON_CELL: this.cellName,
        BALAFON_CELL_NUMBER: String(cell.number),
        BALAFON_ZONE: zone,
        BALAFON_DOMAIN: fleet.domain,
        BALAFON_METADATA_TABLE: data.metadataTable.tableName,
        BALAFON_CONTROL_TABLE: data.controlTable.tableName,
        BALAFON_BUCKET: data.bucket.bucketName,
        BALAFON_CELL_SECRET_ARN: shared.cellSecret.secretArn,
        BALAFON_CERTIFICATE_SECRET_ARN: data.certificateSecret.secretArn,
        BALAFON_ROUTER_NETWORKS: network.routerNetworks().join(","),
        BALAFON_DATA_DIRECTORY: dataPath,
      },
    });
    this.#allow(task.role, props, shared.cellSecret);
    const service = new ecs.FargateService(this, `Zone${props.index + 1}`, {
      cluster: shared.cluster,
      taskDefinition: task.definition,
      desiredCount: cell.brokersPerZone,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: { subnets: network.vpc.selectSubnets({ ...network.taskSubnets, availabilityZones: [zone] }).subnets },
      securityGroups: [network.brokerGroup],
      // One broker at a time makes room for its successor: its volume cannot be in two places.
      minHealthyPercent: cell.brokersPerZone === 1 ? 0 : Math.floor(100 * (1 - 1 / cell.brokersPerZone)),
      maxHealthyPercent: 100,
      circuitBreaker: { enable: true, rollback: true },
      // Its zone is its own. What ECS enables by itself would stop a broker to place it better, and goes with no maximum of 100.
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.DISABLED,
      enableExecuteCommand: false,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    if (disk.kind === "ebs") {
      const volume = new ecs.ServiceManagedVolume(this, `Volume${props.index + 1}`, {
        name: dataVolume,
        managedEBSVolume: {
          size: Size.gibibytes(disk.gib),
          volumeType: ec2.EbsDeviceVolumeType.GP3,
          iops: disk.iops,
          throughput: disk.throughputMiBps,
          encrypted: true,
          fileSystemType: ecs.FileSystemType.EXT4,
          ...(this.#key === undefined ? {} : { kmsKeyId: this.#key }),
        },
      });
      this.#allowVolumeKey(volume.role);
      // The role, and all that it is allowed: before the first volume is made, and until the last one is gone.
      service.node.addDependency(volume);
      service.addVolume(volume);
      task.definition.addVolume(volume);
    }
    return service;
  }

  /** ECS makes the volumes under a role whose managed policy knows no keys: with the fleet's own key they would never come up. */
  #allowVolumeKey(role: iam.IRole): void {
    if (this.#key === undefined) return;
    const resources = [this.#key.keyArn];
    const viaVolumes = { "kms:ViaService": `ec2.${this.region}.amazonaws.com` };
    for (const statement of [
      { actions: ["kms:DescribeKey"] },
      { actions: ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"], conditions: { StringEquals: viaVolumes } },
      {
        actions: ["kms:CreateGrant"],
        conditions: { StringEquals: viaVolumes, Bool: { "kms:GrantIsForAWSResource": "true" } },
      },
    ])
      role.addToPrincipalPolicy(new iam.PolicyStatement({ ...statement, resources }));
  }

  /** Its own log in the table, its own snapshots in the bucket, two secrets to read, and nothing else. */
  #allow(role: iam.IRole, { data }: CellStackProps, cellSecret: secretsmanager.Secret): void {
    const { metadataTable, bucket } = data;
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        resources: [metadataTable.tableArn],
        conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [this.cellName, `${this.cellName}/*`] } },
      }),
    );
    // How full the cell is, for placement.
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
        resources: [data.controlTable.tableArn],
        conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [cellLoads] } },
      }),
    );
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["s3:GetObject", "s3:PutObject"],
        resources: [bucket.arnForObjects(`metadata/${this.cellName}/*`)],
      }),
    );
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ["s3:GetObject"], resources: [bucket.arnForObjects("segments/*")] }),
    );
    cellSecret.grantRead(role);
    data.allowCertificate(role);
    data.allowKey(role);
  }
}
