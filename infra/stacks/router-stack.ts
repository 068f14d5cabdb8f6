import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import * as ecs from "aws-cdk-lib/aws-ecs";
import * as elbv2 from "aws-cdk-lib/aws-elasticloadbalancingv2";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as logs from "aws-cdk-lib/aws-logs";
import * as route53 from "aws-cdk-lib/aws-route53";
import * as targets from "aws-cdk-lib/aws-route53-targets";
import type { Construct } from "constructs";
import { DeployableTask } from "../constructs/deployable-task.ts";
import { cellName, type FleetConfig } from "../fleet/fleet-config.ts";
import { ports } from "../ports.ts";
import type { DataStack } from "./data-stack.ts";
import type { NetworkStack } from "./network-stack.ts";

export interface RouterStackProps extends StackProps {
  readonly fleet: FleetConfig;
  readonly network: NetworkStack;
  readonly data: DataStack;
}

/** How long the load balancer goes on sending new connections to a router that it was told about. */
const deregistrationSeconds = 60;

/**
 * The way in: a network load balancer that passes TCP through, routers behind it in each zone, and the names that lead to
 * them: `*.<domain>` to all zones, `*.<zone>.<domain>` to that zone's address alone.
 */
export class RouterStack extends Stack {
  readonly balancer: elbv2.NetworkLoadBalancer;
  readonly services: readonly ecs.FargateService[];
  readonly #key: kms.IKey | undefined;

  constructor(scope: Construct, id: string, props: RouterStackProps) {
    super(scope, id, props);
    const { fleet, network } = props;
    this.#key = props.data.keyFor(this);
    this.balancer = new elbv2.NetworkLoadBalancer(this, "Balancer", {
      vpc: network.vpc,
      internetFacing: fleet.publicAccess,
      vpcSubnets: { subnets: network.vpc.publicSubnets },
      securityGroups: [network.balancerGroup],
      crossZoneEnabled: false,
      deletionProtection: fleet.protectData,
      zonalShift: true,
    });
    const group = new elbv2.NetworkTargetGroup(this, "Routers", {
      vpc: network.vpc,
      port: ports.kafka,
      protocol: elbv2.Protocol.TCP,
      targetType: elbv2.TargetType.IP,
      proxyProtocolV2: true,
      preserveClientIp: false,
      connectionTermination: false,
      deregistrationDelay: Duration.seconds(deregistrationSeconds),
      healthCheck: {
        protocol: elbv2.Protocol.HTTP,
        port: String(ports.health),
        path: "/healthz",
        interval: Duration.seconds(10),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 2,
      },
    });
    this.balancer.addListener("Kafka", { port: ports.kafka, defaultTargetGroups: [group] });
    const cluster = new ecs.Cluster(this, "Cluster", {
      vpc: network.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    }) as ecs.ICluster;
    const logGroup = new logs.LogGroup(this, "Logs", {
      retention: fleet.logRetentionDays as logs.RetentionDays,
      removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(this.#key === undefined ? {} : { encryptionKey: this.#key }),
    });
    this.services = fleet.zones.map((zone, index) => {
      const service = this.#zoneService(props, { zone, index }, { cluster, logGroup });
      service.attachToNetworkTargetGroup(group);
      return service;
    });
    for (const [index, service] of this.services.entries()) {
      const before = this.services[index - 1];
      if (before !== undefined) service.node.addDependency(before);
    }
    this.#names(fleet);
    new CfnOutput(this, "Bootstrap", { value: `<logical cluster>.${fleet.domain}:${ports.kafka}` });
  }

  #zoneService(
    { fleet, network, data }: RouterStackProps,
    { zone, index }: { readonly zone: string; readonly index: number },
    shared: { readonly cluster: ecs.ICluster; readonly logGroup: logs.LogGroup },
  ): ecs.FargateService {
    const task = new DeployableTask(this, `Router${index + 1}`, {
      deployable: "router",
      cpu: fleet.router.cpu,
      memoryMiB: fleet.router.memoryMiB,
      logGroup: shared.logGroup,
      healthPort: ports.health,
      environment: {
        BALAFON_ZONE: zone,
        BALAFON_DOMAIN: fleet.domain,
        BALAFON_METADATA_TABLE: data.metadataTable.tableName,
        BALAFON_BUCKET: data.bucket.bucketName,
        BALAFON_CELLS: fleet.cells.map((cell) => cellName(fleet, cell)).join(","),
        BALAFON_BALANCER_NETWORKS: network.balancerNetworks().join(","),
        BALAFON_DEREGISTRATION_SECONDS: String(deregistrationSeconds),
      },
    });
    // It follows the logs of all cells, and writes nothing.
    task.role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["dynamodb:GetItem", "dynamodb:Query"],
        resources: [data.metadataTable.tableArn],
      }),
    );
    task.role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ["s3:GetObject"], resources: [data.bucket.arnForObjects("metadata/*")] }),
    );
    data.allowKey(task.role);
    return new ecs.FargateService(this, `Zone${index + 1}`, {
      cluster: shared.cluster,
      taskDefinition: task.definition,
      desiredCount: fleet.router.tasksPerZone,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: { subnets: network.vpc.selectSubnets({ ...network.taskSubnets, availabilityZones: [zone] }).subnets },
      securityGroups: [network.routerGroup],
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
  }

  #names({ domain, hostedZoneId, zones }: FleetConfig): void {
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, "HostedZone", { hostedZoneId, zoneName: domain });
    new route53.ARecord(this, "AllZones", {
      zone,
      recordName: `*.${domain}.`,
      target: route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(this.balancer)),
    });
    for (const [index, name] of zones.entries()) {
      new route53.CnameRecord(this, `ZoneName${index + 1}`, {
        zone,
        recordName: `*.${name}.${domain}.`,
        // The load balancer's address in that zone alone.
        domainName: `${name}.${this.balancer.loadBalancerDnsName}`,
        ttl: Duration.seconds(60),
      });
    }
  }
}
