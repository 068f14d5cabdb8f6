import { Stack, type StackProps } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { FleetConfig } from "../fleet/fleet-config.ts";
import { ports } from "../ports.ts";

/** What tasks in private subnets without a way to the internet need of AWS. */
const interfaceEndpoints: readonly (readonly [string, ec2.InterfaceVpcEndpointAwsService])[] = [
  ["EcrApi", ec2.InterfaceVpcEndpointAwsService.ECR],
  ["EcrDocker", ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER],
  ["Logs", ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS],
  ["Secrets", ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
];

const natGateways = { endpoints: 0, nat: 3, public: 0 } as const;

/** The network of a fleet: three zones, and who may reach whom. */
export class NetworkStack extends Stack {
  readonly vpc: ec2.IVpc;
  /** Where tasks run. */
  readonly taskSubnets: ec2.SubnetSelection;
  readonly assignPublicIp: boolean;
  readonly balancerGroup: ec2.SecurityGroup;
  readonly routerGroup: ec2.SecurityGroup;
  readonly brokerGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: StackProps & { readonly fleet: FleetConfig }) {
    super(scope, id, props);
    const { fleet } = props;
    const isPublic = fleet.waysOut === "public";
    const taskSubnetType =
      fleet.waysOut === "nat"
        ? ec2.SubnetType.PRIVATE_WITH_EGRESS
        : isPublic
          ? ec2.SubnetType.PUBLIC
          : ec2.SubnetType.PRIVATE_ISOLATED;
    const vpc = new ec2.Vpc(this, "Vpc", {
      availabilityZones: [...fleet.zones],
      natGateways: natGateways[fleet.waysOut],
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: "public", subnetType: ec2.SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: false },
        ...(isPublic ? [] : [{ name: "tasks", subnetType: taskSubnetType, cidrMask: 20 }]),
      ],
    });
    // The library's own types do not hold under exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
    this.taskSubnets = { subnetType: taskSubnetType };
    this.assignPublicIp = isPublic;
    vpc.addGatewayEndpoint("S3", { service: ec2.GatewayVpcEndpointAwsService.S3 });
    vpc.addGatewayEndpoint("DynamoDb", { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB });
    const group = (name: string, description: string) =>
      new ec2.SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound: true });
    this.balancerGroup = group("BalancerGroup", "Clients reach the load balancer");
    this.routerGroup = group("RouterGroup", "The load balancer reaches routers");
    this.brokerGroup = group("BrokerGroup", "Routers and brokers reach brokers");
    const clients = fleet.publicAccess ? ec2.Peer.anyIpv4() : ec2.Peer.ipv4(this.vpc.vpcCidrBlock);
    this.balancerGroup.addIngressRule(clients, ec2.Port.tcp(ports.kafka), "Kafka clients");
    this.routerGroup.addIngressRule(this.balancerGroup, ec2.Port.tcp(ports.kafka), "Kafka, with a PROXY header");
    this.routerGroup.addIngressRule(this.balancerGroup, ec2.Port.tcp(ports.health), "Health checks");
    this.brokerGroup.addIngressRule(this.routerGroup, ec2.Port.tcp(ports.kafka), "Kafka, with a PROXY header");
    this.brokerGroup.addIngressRule(this.routerGroup, ec2.Port.tcp(ports.admin), "Probes");
    if (fleet.waysOut === "endpoints") this.#endpoints(vpc, group("EndpointGroup", "Tasks reach AWS"));
    this.brokerGroup.addIngressRule(this.brokerGroup, ec2.Port.tcp(ports.peer), "Other brokers of the cell");
  }

  #endpoints(vpc: ec2.Vpc, endpointGroup: ec2.SecurityGroup): void {
    for (const tasks of [this.routerGroup, this.brokerGroup]) {
      endpointGroup.addIngressRule(tasks, ec2.Port.tcp(443), "AWS from tasks");
    }
    for (const [name, service] of interfaceEndpoints) {
      vpc.addInterfaceEndpoint(name, {
        service,
        subnets: this.taskSubnets,
        securityGroups: [endpointGroup],
        open: false,
      });
    }
  }

  /** Networks in CIDR notation from which the load balancer speaks: its nodes stand in the public subnets. */
  balancerNetworks(): string[] {
    return this.vpc.publicSubnets.map(({ ipv4CidrBlock }) => ipv4CidrBlock);
  }

  /** Networks in CIDR notation from which routers speak. */
  routerNetworks(): string[] {
    return this.vpc.selectSubnets(this.taskSubnets).subnets.map(({ ipv4CidrBlock }) => ipv4CidrBlock);
  }
}
