import { fileURLToPath } from "node:url";
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import * as logs from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { FleetConfig } from "../fleet/fleet-config.ts";

export interface LambdaFunctionProps {
  readonly fleet: FleetConfig;
  /** The fleet's own, for the function's log. */
  readonly key: kms.IKey | undefined;
  /** The folder below `functions` whose `main.ts` is run. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
}

/** One function of `functions/`, bundled by esbuild on this machine; its SDK is in the bundle, at the version of the lock file. */
export function lambdaFunction(scope: Construct, id: string, props: LambdaFunctionProps): NodejsFunction {
  const { fleet, folder, environment } = props;
  const logGroup = new logs.LogGroup(scope, `${id}Logs`, {
    retention: fleet.logRetentionDays as logs.RetentionDays,
    removalPolicy: fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(props.key === undefined ? {} : { encryptionKey: props.key }),
  });
  return new NodejsFunction(scope, id, {
    entry: fileURLToPath(new URL(`../../functions/${folder}/main.ts`, import.meta.url)),
    depsLockFilePath: fileURLToPath(new URL("../../package-lock.json", import.meta.url)),
    handler: "handler",
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    timeout: Duration.seconds(props.timeoutSeconds),
    memorySize: props.memoryMiB,
    environment: { ...environment, NODE_OPTIONS: "--enable-source-maps" },
    logGroup,
    loggingFormat: lambda.LoggingFormat.JSON,
    bundling: {
      format: OutputFormat.ESM,
      target: "node24",
      minify: true,
      keepNames: true,
      sourceMap: true,
      bundleAwsSDK: true,
      mainFields: ["module", "main"],
      banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
  });
}
