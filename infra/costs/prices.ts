/**
 * Prices of us-east-1 in dollars, on demand, without free tiers and discounts. `source`: where the price was read; none: it
 * is from memory and was not looked up when it was written down. AWS's own pages are what counts.
 */
export interface Price {
  readonly dollars: number;
  readonly unit: string;
  readonly source?: string;
}

/** When the sources were read. */
export const pricesDate = "2026-11-28";

const fargate = "vantage.sh/blog/fargate-pricing";
const balancer = "clustercost.com/blog/network-load-balancer-pricing-2025";
const dynamodb = "airbyte.com/data-engineering-resources/dynamodb-pricing (after November 2024)";
const cloudwatch = "factualminds.com, Amazon CloudWatch pricing, 2026-06";

export const prices = {
  fargateVcpuHour: { dollars: 0.03238, unit: "vCPU hour (Linux, ARM)", source: fargate },
  fargateGbHour: { dollars: 0.00356, unit: "GB of memory hour (Linux, ARM)", source: fargate },
  fargateDiskGbHour: { dollars: 0.000_111, unit: "GB of task disk above 20, hour", source: fargate },
  gp3GbMonth: { dollars: 0.08, unit: "GB of gp3 month" },
  gp3IopsMonth: { dollars: 0.005, unit: "IOPS of gp3 above 3000, month" },
  gp3MibpsMonth: { dollars: 0.04, unit: "MiB/s of gp3 above 125, month" },
  balancerHour: { dollars: 0.0225, unit: "network load balancer hour", source: balancer },
  balancerUnit: { dollars: 0.006, unit: "NLCU hour (1 GB of TCP in an hour)" },
  publicAddressHour: { dollars: 0.005, unit: "public IPv4 address hour" },
  natGatewayHour: { dollars: 0.045, unit: "NAT gateway hour" },
  endpointHour: { dollars: 0.01, unit: "interface endpoint hour in a zone" },
  zoneCrossingGb: { dollars: 0.02, unit: "GB from one zone to another, both directions' charges" },
  internetGb: { dollars: 0.09, unit: "GB out to the internet (first 10 TB)" },
  tableReadMillion: { dollars: 0.125, unit: "million read units, on demand", source: dynamodb },
  tableWriteMillion: { dollars: 0.625, unit: "million write units, on demand", source: dynamodb },
  secretMonth: {
    dollars: 0.4,
    unit: "secret month",
    source: "hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms",
  },
  secretReads10k: {
    dollars: 0.05,
    unit: "10,000 calls of Secrets Manager",
    source: "hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms",
  },
  keyMonth: { dollars: 1, unit: "KMS key month", source: "cloudburn.io/blog/aws-kms-pricing, 2026-03" },
  metricMonth: { dollars: 0.3, unit: "custom metric month", source: "signoz.io/guides/cloudwatch-pricing, 2026-02" },
  alarmMonth: { dollars: 0.1, unit: "alarm month" },
  dashboardMonth: { dollars: 3, unit: "dashboard month", source: cloudwatch },
  logsGb: { dollars: 0.5, unit: "GB of logs taken in", source: cloudwatch },
  insightsMetricMonth: {
    dollars: 0.07,
    unit: "metric of Container Insights (enhanced) month",
    source: "fortem.dev/blog/ecs-fargate-monitoring",
  },
  hostedZoneMonth: { dollars: 0.5, unit: "hosted zone month" },
  functionGbSecond: { dollars: 0.000_013_333_4, unit: "GB second of Lambda (ARM)" },
  wildcardCertificate: {
    dollars: 149,
    unit: "wildcard name of an exportable certificate, each time it is issued or renewed",
    source: "AWS price list for ACM, effective 2025-02 (huggingface.co/datasets/labofsahil/aws-pricing-dataset)",
  },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceId = keyof typeof prices;
