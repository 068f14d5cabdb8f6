import { readFileSync } from "node:fs";
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import * as apigateway from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { type LambdaFunctionProps, lambdaFunction } from "../constructs/lambda-function.ts";
import { type CellConfig, cellName, type FleetConfig } from "../fleet/fleet-config.ts";
import { ports } from "../ports.ts";
import type { DataStack } from "./data-stack.ts";

/** Of all callers together, in front of the limits that each key has. */
const requestsPerSecondMax = 200;
const requestsBurstMax = 400;

const methods = {
  get: apigateway.HttpMethod.GET,
  post: apigateway.HttpMethod.POST,
  patch: apigateway.HttpMethod.PATCH,
  delete: apigateway.HttpMethod.DELETE,
} as const;

export interface ApiStackProps extends StackProps {
  readonly fleet: FleetConfig;
  readonly data: DataStack;
}

/** The provisioning API: the routes of its document, one function behind them all, and one that finishes what calls left. */
export class ApiStack extends Stack {
  readonly functions: readonly lambda.IFunction[];
  readonly #key: kms.IKey | undefined;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { fleet, data } = props;
    this.#key = data.keyFor(this);
    const common = { fleet, key: this.#key, timeoutSeconds: 25, memoryMiB: 512, environment: this.#environment(props) };
    const provisioning = lambdaFunction(this, "Provisioning", { ...common, folder: "provisioning" });
    const reconcile = lambdaFunction(this, "Reconcile", {
      ...common,
      folder: "reconcile",
      timeoutSeconds: 55,
      environment: { ...common.environment, FLEET_NAME: fleet.name },
    });
    const operatorKey = this.#operatorKey(props, common);
    this.functions = [provisioning, reconcile, operatorKey];
    for (const each of this.functions) this.#allow(each, data);
    new events.Rule(this, "EveryMinute", {
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [new targets.LambdaFunction(reconcile, { retryAttempts: 0 })],
    });
    this.#routes(fleet, provisioning);
  }

  /** Makes the fleet's first key, when the operator invokes it. */
  #operatorKey({ fleet }: ApiStackProps, common: Omit<LambdaFunctionProps, "folder">): lambda.IFunction {
    const secret = new secretsmanager.Secret(this, "OperatorKey", {
      description: `The operator's key for the provisioning API of fleet ${fleet.name}`,
      removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(this.#key === undefined ? {} : { encryptionKey: this.#key }),
    });
    const made = lambdaFunction(this, "MakeOperatorKey", {
      ...common,
      folder: "operator-key",
      environment: { ...common.environment, OPERATOR_KEY_SECRET_ARN: secret.secretArn },
    });
    made.role?.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        resources: [secret.secretArn],
      }),
    );
    new CfnOutput(this, "OperatorKeyFunction", { value: made.functionName });
    new CfnOutput(this, "OperatorKeySecret", { value: secret.secretArn });
    return made;
  }

  #environment({ fleet, data }: ApiStackProps): Readonly<Record<string, string>> {
    const named = (state: CellConfig["state"]) =>
      fleet.cells.filter((cell) => cell.state === state).map((cell) => cellName(fleet, cell));
    return {
      CONTROL_TABLE: data.controlTable.tableName,
      METADATA_TABLE: data.metadataTable.tableName,
      // Read by functions/provisioning/fleet.ts.
      FLEET: JSON.stringify({
        cloud: "AWS",
        region: fleet.region,
        kafkaBootstrap: `{lkc}.${fleet.domain}:${ports.kafka}`,
        open: named("active"),
        draining: named("draining"),
      }),
    };
  }

  /** The whole control table, and appends to the cells' logs: a function never deletes an entry. */
  #allow(each: lambda.IFunction, data: DataStack): void {
    const { role } = each;
    if (role === undefined) return;
    const read = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"];
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: [...read, "dynamodb:DeleteItem"], resources: [data.controlTable.tableArn] }),
    );
    role.addToPrincipalPolicy(new iam.PolicyStatement({ actions: read, resources: [data.metadataTable.tableArn] }));
    data.allowKey(role);
  }

  #routes(fleet: FleetConfig, provisioning: lambda.IFunction): void {
    const api = new apigateway.HttpApi(this, "Api", { apiName: `balafon-${fleet.name}`, createDefaultStage: false });
    // One permission for the whole API: one for each route would outgrow what Lambda takes for a function's policy.
    const integration = new HttpLambdaIntegration("Provisioning", provisioning, { scopePermissionToRoute: false });
    for (const [path, verbs] of documentedRoutes()) api.addRoutes({ path, methods: [...verbs], integration });
    // What is not offered gets the API's own error, not the gateway's.
    api.addRoutes({ path: "/{proxy+}", methods: [apigateway.HttpMethod.ANY], integration });
    const accessLogs = new logs.LogGroup(this, "AccessLogs", {
      retention: fleet.logRetentionDays as logs.RetentionDays,
      removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(this.#key === undefined ? {} : { encryptionKey: this.#key }),
    });
    new apigateway.HttpStage(this, "Stage", {
      httpApi: api,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: requestsPerSecondMax, burstLimit: requestsBurstMax },
      accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLogs) },
    });
    new CfnOutput(this, "Url", { value: api.apiEndpoint });
  }
}

/** Paths and methods of docs/openapi.json, which is made of the route table and held to it by a test. */
export function documentedRoutes(): readonly (readonly [string, readonly apigateway.HttpMethod[]])[] {
  const file = new URL("../../docs/openapi.json", import.meta.url);
  const { paths } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(paths).map(([path, operations]) => [
    path,
    Object.keys(operations).flatMap((name) => (name in methods ? [methods[name as keyof typeof methods]] : [])),
  ]);
}
