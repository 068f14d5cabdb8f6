/** Findings of cdk-nag that are meant to be so, each with where it is and why. A finding anywhere else fails the synth. */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import { cellName, type FleetConfig } from "../fleet/fleet-config.ts";

interface Acknowledged {
  readonly id: string;
  /** Matches the construct's path. */
  readonly at: RegExp;
  readonly reason: string;
}

const acknowledged: readonly Acknowledged[] = [
  {
    id: "AwsSolutions::AwsSolutions-VPC7",
    at: /-network\/Vpc\/Resource$/,
    reason:
      "Routers and brokers log each connection with its address; flow logs would cost as much as the traffic they describe.",
  },
  {
    id: "AwsSolutions::AwsSolutions-EC23",
    at: /-network\/BalancerGroup\/Resource$/,
    reason: "Clients come from anywhere, to the Kafka port alone; a fleet with publicAccess false has no such rule.",
  },
  {
    id: "AwsSolutions::AwsSolutions-S1",
    at: /-data\/Bucket\/Resource$/,
    reason:
      "Only the fleet's own roles reach the bucket, and CloudTrail data events can be switched on for it by whoever needs them.",
  },
  {
    id: "AwsSolutions::AwsSolutions-SMG4",
    at: /-data\/Certificate\/Resource$/,
    reason:
      "Renewed by ACM (the certificate stack's function copies it) or by the operator; Secrets Manager could make no certificate.",
  },
  {
    id: "AwsSolutions::AwsSolutions-SMG4",
    at: /\/CellSecret\/Resource$/,
    reason:
      "Brokers of a cell prove themselves with it: exchanged in three steps, each seen by all brokers (docs/runbooks/rotate-secrets.md).",
  },
  {
    id: "AwsSolutions::AwsSolutions-ELB2",
    at: /-router\/Balancer\/Resource$/,
    reason:
      "A network load balancer logs TLS listeners only, and this one passes TCP through; routers log what they route.",
  },
  {
    id: "AwsSolutions::AwsSolutions-ECS2",
    at: /\/Task\/Resource$/,
    reason: "Names of tables, buckets and cells. Secrets are read from Secrets Manager by the ARNs among them.",
  },
  {
    id: iam5("*"),
    at: /\/Task\/ExecutionRole\/DefaultPolicy\/Resource$/,
    reason: "ecr:GetAuthorizationToken knows no resource.",
  },
  {
    id: "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
    at: /-(api|certificate)\/[A-Za-z]+\/ServiceRole\/Resource$/,
    reason: "Writing its own log is all that the policy allows.",
  },
  {
    id: "AwsSolutions::AwsSolutions-APIG4",
    at: /-api\/Api\//,
    reason: "The function checks the key of each call (HTTP Basic, as the published SDKs send it), in constant time.",
  },
  {
    id: "AwsSolutions::AwsSolutions-SMG4",
    at: /-api\/OperatorKey\/Resource$/,
    reason: "The operator makes further keys through the API and revokes this one.",
  },
  {
    id: "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes]",
    at: /\/Volume\d\/EBSRole\/Resource$/,
    reason: "The policy that ECS documents for volumes of a service; it follows what ECS needs.",
  },
];

/** Wildcards below a prefix of the bucket, whose name in the template follows from the fleet's. */
function bucketWildcards(fleet: FleetConfig): readonly Acknowledged[] {
  const bucket = `${fleet.name}-data:ExportsOutputFnGetAttBucket83908E77Arn063C8555`;
  const at = /\/Task\/TaskRole\/DefaultPolicy\/Resource$/;
  const reason =
    "Objects below a prefix: a cell's own snapshots, all cells' for routers, segments to read. Their names are not known before.";
  const prefixes = ["metadata", "segments", ...fleet.cells.map((cell) => `metadata/${cellName(fleet, cell)}`)];
  return prefixes.map((prefix) => ({ id: iam5(`${bucket}/${prefix}/*`), at, reason }));
}

function iam5(resource: string): string {
  return `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`;
}

export function acknowledgeFindings(scope: IConstruct, fleet: FleetConfig): void {
  const all = [...acknowledged, ...bucketWildcards(fleet)];
  for (const construct of scope.node.findAll()) {
    for (const { id, at, reason } of all) {
      if (at.test(construct.node.path)) Validations.of(construct).acknowledge({ id, reason });
    }
  }
}
