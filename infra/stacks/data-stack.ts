import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { FleetConfig } from "../fleet/fleet-config.ts";

/** What holds data, apart from the brokers' volumes: kept when the rest is made anew. */
export class DataStack extends Stack {
  /** The fleet's own; undefined: AWS's keys are used. */
  readonly key: kms.Key | undefined;
  /** The metadata logs of all cells. */
  readonly metadataTable: dynamodb.TableV2;
  /** What the provisioning API keeps. */
  readonly controlTable: dynamodb.TableV2;
  /** Snapshots of the metadata logs, and segments. */
  readonly bucket: s3.Bucket;
  /** `{"certificate", "privateKey"}`, see `CertificateSource`. */
  readonly certificateSecret: secretsmanager.Secret;

  constructor(scope: Construct, id: string, props: StackProps & { readonly fleet: FleetConfig }) {
    super(scope, id, props);
    const { fleet } = props;
    const removalPolicy = fleet.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.key = fleet.customerManagedKeys
      ? new kms.Key(this, "Key", { enableKeyRotation: true, removalPolicy, description: `Balafon fleet ${fleet.name}` })
      : undefined;
    // CloudWatch Logs uses the key by itself; roles are allowed to by their own policies.
    this.key?.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal(`logs.${this.region}.amazonaws.com`)],
        actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources: ["*"],
        conditions: {
          ArnLike: {
            "kms:EncryptionContext:aws:logs:arn": `arn:${this.partition}:logs:${this.region}:${this.account}:*`,
          },
        },
      }),
    );
    // Keys have the names that shared/item-store/dynamodb-item-store.ts uses.
    const table = (name: string, partitionKey: string, sortKey: dynamodb.Attribute) =>
      new dynamodb.TableV2(this, name, {
        partitionKey: { name: partitionKey, type: dynamodb.AttributeType.STRING },
        sortKey,
        billing: dynamodb.Billing.onDemand(),
        encryption:
          this.key === undefined
            ? dynamodb.TableEncryptionV2.dynamoOwnedKey()
            : dynamodb.TableEncryptionV2.customerManagedKey(this.key),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        deletionProtection: fleet.protectData,
        removalPolicy,
      });
    this.metadataTable = table("MetadataTable", "log", { name: "seq", type: dynamodb.AttributeType.NUMBER });
    this.controlTable = table("ControlTable", "collection", { name: "id", type: dynamodb.AttributeType.STRING });
    this.bucket = new s3.Bucket(this, "Bucket", {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...(this.key === undefined
        ? { encryption: s3.BucketEncryption.S3_MANAGED }
        : { encryption: s3.BucketEncryption.KMS, encryptionKey: this.key, bucketKeyEnabled: true }),
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy,
      autoDeleteObjects: false,
    });
    this.certificateSecret = new secretsmanager.Secret(this, "Certificate", {
      description: `TLS certificate and private key of *.${fleet.domain} and *.<zone>.${fleet.domain}`,
      ...(this.key === undefined ? {} : { encryptionKey: this.key }),
      removalPolicy,
    });
    new CfnOutput(this, "CertificateSecret", { value: this.certificateSecret.secretArn });
  }

  /** The fleet's key for a stack beside this one: by its ARN, so that roles there do not become part of its policy here. */
  keyFor(scope: Stack): kms.IKey | undefined {
    return this.key === undefined ? undefined : kms.Key.fromKeyArn(scope, "FleetKey", this.key.keyArn);
  }

  /** Lets a role of another stack use the fleet's key, if it has one. */
  allowKey(role: iam.IRole): void {
    if (this.key === undefined) return;
    const actions = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"];
    role.addToPrincipalPolicy(new iam.PolicyStatement({ actions, resources: [this.key.keyArn] }));
  }

  /** Lets a role of another stack read the certificate. */
  allowCertificate(role: iam.IRole): void {
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ["secretsmanager:GetSecretValue"],
        resources: [this.certificateSecret.secretArn],
      }),
    );
  }
}
