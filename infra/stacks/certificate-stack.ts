import { CfnOutput, Duration, Stack, type StackProps } from "aws-cdk-lib";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { lambdaFunction } from "../constructs/lambda-function.ts";
import { certificateNames, type FleetConfig } from "../fleet/fleet-config.ts";
import type { DataStack } from "./data-stack.ts";

export interface CertificateStackProps extends StackProps {
  readonly fleet: FleetConfig;
  readonly data: DataStack;
}

/**
 * What keeps the certificate's secret good: a function that copies a renewed certificate of ACM there, and says twice a day how
 * long the one that brokers use is good for. Where the operator fills the secret it only looks, and may only read.
 */
export class CertificateStack extends Stack {
  constructor(scope: Construct, id: string, props: CertificateStackProps) {
    super(scope, id, props);
    const { fleet, data } = props;
    const { certificate } = fleet;
    const { secretArn } = data.certificateSecret;
    const keeper = lambdaFunction(this, "Keeper", {
      fleet,
      key: data.keyFor(this),
      folder: "certificate",
      timeoutSeconds: 60,
      memoryMiB: 256,
      environment: {
        FLEET_NAME: fleet.name,
        CERTIFICATE_SECRET_ARN: secretArn,
        CERTIFICATE_NAMES: certificateNames(fleet).join(","),
        ...(certificate.kind === "acm" ? { CERTIFICATE_ARN: certificate.certificateArn } : {}),
      },
    });
    const allow = (resource: string, ...actions: string[]) =>
      keeper.addToRolePolicy(new iam.PolicyStatement({ actions, resources: [resource] }));
    allow(secretArn, "secretsmanager:GetSecretValue");
    if (data.key !== undefined) allow(data.key.keyArn, "kms:Decrypt");
    const target = new targets.LambdaFunction(keeper);
    // Twice in each day that the alarms look at: one run each day comes now before, now after the end of theirs.
    new events.Rule(this, "EveryDay", { schedule: events.Schedule.rate(Duration.hours(12)), targets: [target] });
    if (certificate.kind === "acm") {
      allow(secretArn, "secretsmanager:PutSecretValue");
      allow(certificate.certificateArn, "acm:ExportCertificate");
      if (data.key !== undefined) allow(data.key.keyArn, "kms:GenerateDataKey");
      new events.Rule(this, "Renewed", {
        eventPattern: {
          source: ["aws.acm"],
          // Told when a certificate was issued or renewed; told at best, so the scheduled runs stand behind it.
          detailType: ["ACM Certificate Available", "ACM Certificate Rotated"],
          resources: [certificate.certificateArn],
        },
        targets: [target],
      });
    }
    new CfnOutput(this, "CertificateFunction", { value: keeper.functionName });
  }
}
