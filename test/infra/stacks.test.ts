/** What would hurt if the templates said something else: public exposure, what is deleted with a stack, who may do what. */
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { App, type Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { adaptToEmulator } from "../../infra/emulator/adapt-to-emulator.ts";
import { cellName, type FleetConfig } from "../../infra/fleet/fleet-config.ts";
import { cellsMax } from "../../infra/fleet/limits.ts";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { type FleetStacks, makeFleet } from "../../infra/fleet-stacks.ts";
import { ApiStack, documentedRoutes } from "../../infra/stacks/api-stack.ts";
import { DataStack } from "../../infra/stacks/data-stack.ts";
import { ObservabilityStack } from "../../infra/stacks/observability-stack.ts";
import { emfName, emfNamespace, printedMetrics } from "../../shared/telemetry/emf.ts";

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

function fleetOf(name: string): FleetConfig {
  const file = new URL(`../../infra/fleets/${name}.json`, import.meta.url);
  const read = readFleetConfig(JSON.parse(readFileSync(file, "utf8")));
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  return read.fleet;
}

function stacksOf(name: string, change: Partial<FleetConfig> = {}): FleetStacks {
  // The images' folders are made by a build; their contents do not matter here.
  for (const deployable of ["broker", "router"])
    mkdirSync(fileURLToPath(new URL(`../../infra/images/${deployable}/app`, import.meta.url)), { recursive: true });
  return makeFleet(new App(), { ...fleetOf(name), ...change });
}

const templates = new Map<Stack, Template>();
function templateOf(stack: Stack): Template {
  const known = templates.get(stack) ?? Template.fromStack(stack);
  templates.set(stack, known);
  return known;
}

function resources(stack: Stack, type: string): Resource[] {
  return Object.values(templateOf(stack).findResources(type)) as Resource[];
}

let production: FleetStacks;
let small: FleetStacks;

beforeAll(() => {
  production = stacksOf("production");
  small = stacksOf("test");
});

function allStacks({ network, data, certificate, router, api, cells, observability }: FleetStacks): Stack[] {
  return [network, data, certificate, router, api, ...cells, observability];
}

describe("what holds data", () => {
  test("outlives its stack in production, and is protected from deletion", () => {
    for (const table of resources(production.data, "AWS::DynamoDB::GlobalTable")) {
      expect(table.DeletionPolicy).toBe("Retain");
      expect(JSON.stringify(table.Properties)).toContain('"DeletionProtectionEnabled":true');
      expect(JSON.stringify(table.Properties)).toContain('"PointInTimeRecoveryEnabled":true');
    }
    for (const type of ["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"]) {
      for (const resource of resources(production.data, type)) expect(resource.DeletionPolicy).toBe("Retain");
    }
    expect(allStacks(production).every(({ terminationProtection }) => terminationProtection)).toBe(true);
  });

  test("is under the fleet's own key where it has one: tables and bucket, and every secret and log", () => {
    const encrypted = (stacks: FleetStacks) =>
      allStacks(stacks).flatMap((stack) =>
        ["AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"].flatMap((type) =>
          resources(stack, type).map(({ Properties }) => "KmsKeyId" in Properties),
        ),
      );
    expect(encrypted(production).length).toBeGreaterThan(10);
    expect(encrypted(production)).not.toContain(false);
    expect(encrypted(small)).not.toContain(true);
    expect(JSON.stringify(resources(production.data, "AWS::DynamoDB::GlobalTable"))).toContain("KMSMasterKeyId");
    expect(JSON.stringify(resources(production.data, "AWS::S3::Bucket"))).toContain("KMSMasterKeyID");
  });

  test("goes with a fleet for tests", () => {
    for (const type of ["AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable"]) {
      for (const resource of resources(small.data, type)) expect(resource.DeletionPolicy).toBe("Delete");
    }
  });

  test("has the keys that the adapters use", () => {
    const schemas = resources(small.data, "AWS::DynamoDB::GlobalTable").map(
      ({ Properties }) => Properties["KeySchema"],
    );
    expect(schemas).toContainEqual([
      { AttributeName: "log", KeyType: "HASH" },
      { AttributeName: "seq", KeyType: "RANGE" },
    ]);
  });

  test("is public in no bucket, and read over TLS only", () => {
    templateOf(production.data).hasResourceProperties("AWS::S3::Bucket", {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    templateOf(production.data).hasResourceProperties("AWS::S3::BucketPolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
        ]),
      },
    });
  });
});

describe("the network", () => {
  test("lets the world reach the load balancer's Kafka port, and nothing else", () => {
    const open: string[] = [];
    for (const stack of allStacks(production)) {
      for (const { Properties } of resources(stack, "AWS::EC2::SecurityGroup")) {
        const rules = (Properties["SecurityGroupIngress"] ?? []) as readonly Record<string, unknown>[];
        for (const rule of rules) if (rule["CidrIp"] === "0.0.0.0/0") open.push(`${String(rule["FromPort"])}`);
      }
    }
    expect(open).toEqual(["9092"]);
  });

  test("of a fleet without public access lets nobody in from outside", () => {
    const { network } = stacksOf("test", { publicAccess: false });
    expect(JSON.stringify(resources(network, "AWS::EC2::SecurityGroup"))).not.toContain(
      '"CidrIp":"0.0.0.0/0","Description":"Kafka',
    );
  });

  test("takes PROXY headers from the balancer's subnets, and the client's address with them", () => {
    const [group] = resources(production.router, "AWS::ElasticLoadBalancingV2::TargetGroup");
    expect(group?.Properties["TargetGroupAttributes"]).toContainEqual({
      Key: "proxy_protocol_v2.enabled",
      Value: "true",
    });
  });
});

describe("permissions", () => {
  test("of a cell reach its own log and its own snapshots only", () => {
    const [cell] = production.cells;
    const policies = JSON.stringify(resources(cell as Stack, "AWS::IAM::Policy"));
    expect(policies).toContain('"dynamodb:LeadingKeys":["prod-cell-1","prod-cell-1/*"]');
    expect(policies).toContain("/metadata/prod-cell-1/*");
    expect(policies).not.toContain("prod-cell-2");
    for (const forbidden of ["s3:DeleteObject", "dynamodb:*", "s3:*", "kms:*", "dynamodb:DeleteTable"])
      expect(policies).not.toContain(`"${forbidden}"`);
  });

  test("of routers write nothing", () => {
    const policies = JSON.stringify(resources(production.router, "AWS::IAM::Policy"));
    for (const write of ["PutItem", "DeleteItem", "PutObject", "DeleteObject", "secretsmanager:GetSecretValue"])
      expect(policies).not.toContain(write);
  });

  test("of functions never delete an entry of a metadata log, and reach no object", () => {
    const statements = resources(production.api, "AWS::IAM::Policy").flatMap(({ Properties }) => {
      const { Statement } = Properties["PolicyDocument"] as {
        readonly Statement: readonly { readonly Action: string | readonly string[]; readonly Resource: unknown }[];
      };
      return Statement;
    });
    const deletes = statements.filter(({ Action }) => JSON.stringify(Action).includes("DeleteItem"));
    expect(deletes.length).toBeGreaterThan(0);
    for (const { Resource } of deletes) expect(JSON.stringify(Resource)).toContain("ControlTable");
    expect(JSON.stringify(statements)).not.toContain("s3:");
  });

  test("of what makes a cell's volumes are enough for the fleet's own key, and there before the brokers", () => {
    const template = templateOf(production.cells[0] as Stack);
    const policies = Object.entries(template.findResources("AWS::IAM::Policy")).filter(([name]) =>
      /^Volume\dEBSRole/.test(name),
    );
    expect(policies).toHaveLength(3);
    for (const [, policy] of policies)
      for (const action of ["kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"])
        expect(JSON.stringify(policy)).toContain(`"${action}"`);
    const services = resources(production.cells[0] as Stack, "AWS::ECS::Service");
    const waitedFor = services.flatMap(({ DependsOn = [] }) => DependsOn);
    for (const [name] of policies) expect(waitedFor).toContain(name);
    expect(JSON.stringify(resources(small.cells[0] as Stack, "AWS::IAM::Policy"))).not.toContain("kms:");
  });

  test("no container is root, writes to its image, or is given a secret in its environment", () => {
    for (const stack of [production.router, ...production.cells]) {
      for (const { Properties } of resources(stack, "AWS::ECS::TaskDefinition")) {
        const [container] = Properties["ContainerDefinitions"] as readonly Record<string, unknown>[];
        expect(container?.["Secrets"]).toBeUndefined();
        expect(container?.["ReadonlyRootFilesystem"]).toBe(true);
        // Said here, not in the image alone: else ECS makes an EBS volume that root alone can write to.
        expect(container?.["User"]).toBe("1000:1000");
        expect(JSON.stringify(container?.["Environment"])).not.toMatch(/password|privateKey|SecretString/i);
      }
    }
  });
});

describe("a cell", () => {
  test("changes one zone after the other", () => {
    const template = templateOf(production.cells[0] as Stack).findResources("AWS::ECS::Service") as Record<
      string,
      Resource
    >;
    const names = Object.keys(template);
    expect(names).toHaveLength(3);
    const waits = names.map(
      (name) => (template[name]?.DependsOn ?? []).filter((other) => names.includes(other)).length,
    );
    expect(waits.toSorted((a, b) => a - b)).toEqual([0, 1, 1]);
    const subnets = names.map((name) => JSON.stringify(template[name]?.Properties["NetworkConfiguration"]));
    expect(new Set(subnets).size).toBe(3);
  });

  test("is one line and one stack more", () => {
    const { cells, ...fleet } = fleetOf("test");
    const [first] = cells;
    const two = makeFleet(new App(), { ...fleet, cells: [...cells, { ...first!, number: 2 }] });
    expect(two.cells.map(({ stackName }) => stackName)).toEqual(["test-cell-1", "test-cell-2"]);
    const before = templateOf(small.cells[0] as Stack).toJSON() as object;
    expect(Template.fromStack(two.cells[0] as Stack).toJSON()).toEqual(before);
  });

  test("rolls back a deployment that does not come up, and restarts a broker that crashes on its disk", () => {
    for (const { Properties } of resources(production.cells[0] as Stack, "AWS::ECS::Service")) {
      expect(JSON.stringify(Properties)).toContain('"DeploymentCircuitBreaker":{"Enable":true,"Rollback":true}');
      expect(JSON.stringify(Properties)).toContain('"MaximumPercent":100');
      expect(Properties["AvailabilityZoneRebalancing"]).toBe("DISABLED");
    }
    for (const { Properties } of resources(production.cells[0] as Stack, "AWS::ECS::TaskDefinition")) {
      expect(JSON.stringify(Properties)).toContain('"RestartPolicy":{"Enabled":true');
      expect(JSON.stringify(Properties)).toContain('"StopTimeout":120');
      expect(JSON.stringify(Properties)).toContain('"StartPeriod":300');
    }
  });
});

test("the largest fleet with the longest names stays within AWS's limits", () => {
  const [first] = fleetOf("production").cells;
  const largest: FleetConfig = {
    ...fleetOf("production"),
    name: "a".repeat(20),
    domain: `${"kafka-of-our-company.".repeat(4)}example.com`,
    cells: Array.from({ length: cellsMax }, (_, index) => ({ ...first!, number: 0x7fff - index })),
  };
  // Only the stacks that grow with cells, and no bundles: forty stacks of cells would take a minute.
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
  const props = { fleet: largest, env: { account: largest.account, region: largest.region } };
  const data = new DataStack(app, "data", props);
  const api = new ApiStack(app, "api", { ...props, data });
  const cells = largest.cells.map((cell) => cellName(largest, cell));
  const observability = new ObservabilityStack(app, "observability", { ...props, cells });
  for (const { Properties } of resources(api, "AWS::Lambda::Function")) {
    const { Variables } = Properties["Environment"] as { readonly Variables: Readonly<Record<string, unknown>> };
    expect(JSON.parse(String(Variables["FLEET"]))).toMatchObject({ open: { length: cellsMax } });
    // Names of tables and secrets are not known yet: at most 200 bytes each.
    const bytes = Object.entries(Variables).map(
      ([name, value]) => name.length + (typeof value === "string" ? value.length : 200),
    );
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(4_096);
  }
  const [dashboard] = resources(observability, "AWS::CloudWatch::Dashboard");
  const widgets = JSON.stringify(dashboard?.Properties["DashboardBody"]).match(/\\"type\\":\\"(text|metric)\\"/g);
  expect(widgets?.length).toBeGreaterThan(10 * cellsMax);
  expect(widgets?.length).toBeLessThanOrEqual(500);
  for (const stack of [api, observability]) {
    const template = templateOf(stack).toJSON() as { readonly Resources: object };
    expect(Object.keys(template.Resources).length).toBeLessThanOrEqual(500);
    expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
  }
});

describe("on an emulator", () => {
  test("the templates name no resource that its CloudFormation refuses, and tasks know whose PROXY headers to take", () => {
    const app = new App();
    const stacks = makeFleet(app, fleetOf("emulator"));
    adaptToEmulator(app);
    const refused = ["AWS::EC2::SecurityGroupIngress", "AWS::EC2::NatGateway", "AWS::EC2::EIP"];
    for (const stack of allStacks(stacks)) {
      for (const type of refused) expect(resources(stack, type)).toEqual([]);
      for (const { Properties } of resources(stack, "AWS::ECS::TaskDefinition"))
        expect(JSON.stringify(Properties)).toMatch(/"BALAFON_(ROUTER|BALANCER)_NETWORKS","Value":"10\.0\.0\.0\/8,/);
    }
  });

  test("nothing of that is in a fleet of an account", () => {
    const all = allStacks(small).map((stack) => JSON.stringify(templateOf(stack).toJSON()));
    expect(all.join("")).toContain("AWS::EC2::SecurityGroupIngress");
    for (const text of all) {
      expect(text).not.toContain("AWS_SECRET_ACCESS_KEY");
      expect(text).not.toContain("172.16.0.0/12");
    }
  });
});

test("API Gateway has every documented call, and hands what is not offered to the API's own error", () => {
  const keys = resources(small.api, "AWS::ApiGatewayV2::Route").map(({ Properties }) => Properties["RouteKey"]);
  for (const [path, verbs] of documentedRoutes()) for (const verb of verbs) expect(keys).toContain(`${verb} ${path}`);
  expect(keys).toContain("ANY /{proxy+}");
  // A function's policy has 20 KB: one permission for each route comes near it.
  const permissions = resources(small.api, "AWS::Lambda::Permission").map(({ Properties }) =>
    String(Properties["Principal"]),
  );
  expect(permissions.toSorted((a, b) => a.localeCompare(b))).toEqual([
    "apigateway.amazonaws.com",
    "events.amazonaws.com",
  ]);
});

describe("the certificate's function", () => {
  interface Statement {
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
  }
  const statementsOf = (stack: Stack) =>
    resources(stack, "AWS::IAM::Policy").flatMap(
      ({ Properties }) => (Properties["PolicyDocument"] as { readonly Statement: readonly Statement[] }).Statement,
    );
  const { certificate } = fleetOf("production");
  const arn = certificate.kind === "acm" ? certificate.certificateArn : "";

  test("exports that certificate, writes that secret, and may do nothing else", () => {
    const allowed = statementsOf(production.certificate).flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => [action, JSON.stringify(Resource)] as const),
    );
    expect(new Map(allowed).size).toBe(allowed.length);
    expect(allowed.map(([action]) => action).toSorted()).toEqual([
      "acm:ExportCertificate",
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
    ]);
    const resourceOf = new Map(allowed);
    expect(resourceOf.get("acm:ExportCertificate")).toBe(JSON.stringify(arn));
    expect(resourceOf.get("secretsmanager:PutSecretValue")).toContain("Certificate");
    expect(resourceOf.get("kms:GenerateDataKey")).toContain("Key");
  });

  test("only reads the secret where the operator fills it", () => {
    expect(statementsOf(small.certificate).map(({ Action }) => Action)).toEqual(["secretsmanager:GetSecretValue"]);
  });

  test("runs more often than its alarms look, and when ACM tells of that certificate", () => {
    const rules = resources(production.certificate, "AWS::Events::Rule").map(({ Properties }) => Properties);
    expect(rules.map((rule) => rule["ScheduleExpression"])).toContain("rate(12 hours)");
    expect(rules.map((rule) => rule["EventPattern"])).toContainEqual({
      source: ["aws.acm"],
      "detail-type": ["ACM Certificate Available", "ACM Certificate Rotated"],
      resources: [arn],
    });
    expect(resources(small.certificate, "AWS::Events::Rule")).toHaveLength(1);
  });

  test("is told every name under which clients reach the fleet", () => {
    const [keeper] = resources(small.certificate, "AWS::Lambda::Function");
    expect(JSON.stringify(keeper?.Properties["Environment"])).toContain(
      '"*.balafon.example.com,*.us-east-1a.balafon.example.com,*.us-east-1b.balafon.example.com,*.us-east-1c.balafon.example.com"',
    );
  });
});

test("every alarm and every chart is of a metric that is printed", () => {
  const known = new Set<string>(printedMetrics.map((id) => emfName(id)));
  const alarms = resources(production.observability, "AWS::CloudWatch::Alarm");
  expect(alarms.length).toBeGreaterThan(0);
  for (const { Properties } of alarms) {
    expect(Properties["Namespace"]).toBe(emfNamespace);
    expect(known).toContain(Properties["MetricName"]);
  }
  const [dashboard] = resources(production.observability, "AWS::CloudWatch::Dashboard");
  const body = JSON.stringify(dashboard?.Properties["DashboardBody"]);
  const charted = [...body.matchAll(/balafon_[a-z_]+/g)].map(([name]) => name);
  expect(charted.length).toBeGreaterThan(10);
  expect(charted.filter((name) => !known.has(name))).toEqual([]);
});

test("routers of each zone that stop are told, and a reconciler that does", () => {
  const alarms = resources(production.observability, "AWS::CloudWatch::Alarm").map(({ Properties }) => Properties);
  for (const zone of fleetOf("production").zones) {
    const ofZone = alarms.filter(({ Dimensions }) => JSON.stringify(Dimensions).includes(`"${zone}"`));
    expect(ofZone.map(({ AlarmName }) => AlarmName)).toEqual([
      `prod-${zone}-RoutersLate`,
      `prod-${zone}-RoutersBehind`,
    ]);
  }
  expect(alarms.map(({ AlarmName }) => AlarmName)).toContain("prod-ReconcilerFails");
  for (const { TreatMissingData } of alarms) expect(TreatMissingData).toBe("breaching");
  expect(JSON.stringify(resources(production.api, "AWS::Lambda::Function"))).toContain('"FLEET_NAME":"prod"');
});

test("alarms may tell the topic, over TLS, and nobody else by its policy", () => {
  templateOf(production.observability).hasResourceProperties("AWS::SNS::TopicPolicy", {
    PolicyDocument: {
      Statement: [
        Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
        Match.objectLike({
          Effect: "Allow",
          Action: "sns:Publish",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": fleetOf("production").account } },
        }),
      ],
    },
  });
  const alarms = resources(production.observability, "AWS::CloudWatch::Alarm");
  for (const { Properties } of alarms) expect(JSON.stringify(Properties["AlarmActions"])).toContain('{"Ref":"Alarms');
});
