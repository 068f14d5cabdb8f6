import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import * as actions from "aws-cdk-lib/aws-cloudwatch-actions";
import * as iam from "aws-cdk-lib/aws-iam";
import * as sns from "aws-cdk-lib/aws-sns";
import * as subscriptions from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import { type EmfMetricId, emfName, emfNamespace } from "../../shared/telemetry/emf.ts";
import type { FleetConfig } from "../fleet/fleet-config.ts";
import { type AlarmRule, cellAlarms, fleetAlarms, routerAlarms } from "../observability/alarm-rules.ts";

export interface ObservabilityStackProps extends StackProps {
  readonly fleet: FleetConfig;
  /** The names of all cells. */
  readonly cells: readonly string[];
}

interface Chart {
  readonly title: string;
  readonly metrics: readonly EmfMetricId[];
  readonly statistic: string;
}

const charts: readonly Chart[] = [
  { title: "Bytes a minute", metrics: ["produceBytes", "fetchBytes"], statistic: "Sum" },
  { title: "Latency p99", metrics: ["produceLatency", "fetchLatency"], statistic: "p99" },
  {
    title: "Requests and refusals",
    metrics: ["produceRequests", "produceErrors", "authenticationFailures"],
    statistic: "Sum",
  },
  { title: "Partitions", metrics: ["partitionsWithoutLeader", "partitionsUnderReplicated"], statistic: "Maximum" },
  { title: "Failovers", metrics: ["failovers"], statistic: "Sum" },
  {
    title: "Failover and metadata latency p99",
    metrics: ["failoverLatency", "metadataAppendLatency"],
    statistic: "p99",
  },
  { title: "Free disk of the fullest broker", metrics: ["diskFree", "diskTotal"], statistic: "Minimum" },
  { title: "Event loop of the busiest broker", metrics: ["eventLoopDelay", "eventLoopUse"], statistic: "Maximum" },
  { title: "Memory of the largest broker", metrics: ["memory"], statistic: "Maximum" },
  { title: "Connections of the busiest broker", metrics: ["connections"], statistic: "Maximum" },
];

/** One line for each zone. */
const routerCharts: readonly (Omit<Chart, "metrics"> & { readonly metric: EmfMetricId })[] = [
  { title: "Connections of routers", metric: "routerConnections", statistic: "Sum" },
  { title: "Refused connections", metric: "routerRefused", statistic: "Sum" },
  { title: "Routing p99", metric: "routerRouteLatency", statistic: "p99" },
  { title: "Bytes a minute through routers", metric: "routerBytes", statistic: "Sum" },
  { title: "Age of the oldest log", metric: "routerLogAge", statistic: "Maximum" },
  { title: "Memory of the largest router", metric: "memory", statistic: "Maximum" },
];

const comparisons = {
  above: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  below: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

/** Alarms and a dashboard, of metrics that brokers, routers and functions print (shared/telemetry/emf.ts). */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { fleet, cells } = props;
    const topic = new sns.Topic(this, "Alarms", { enforceSSL: true });
    // A topic with a policy has no longer the one by which everything in the account may publish, alarms too.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
    if (fleet.alarmEmail !== undefined) {
      topic.addSubscription(new subscriptions.EmailSubscription(fleet.alarmEmail));
    }
    const dashboard = new cloudwatch.Dashboard(this, "Dashboard", { dashboardName: `balafon-${fleet.name}` });
    for (const rule of fleetAlarms) this.#alarm(fleet.name, { Fleet: fleet.name }, rule, topic);
    for (const zone of fleet.zones) {
      const routers = { Router: fleet.domain, Zone: zone };
      for (const rule of routerAlarms) this.#alarm(`${fleet.name}-${zone}`, routers, rule, topic);
    }
    dashboard.addWidgets(new cloudwatch.TextWidget({ markdown: "## Routers", width: 24, height: 1 }));
    dashboard.addWidgets(...routerCharts.map((chart) => routerWidgetOf(fleet, chart)));
    for (const cell of cells) {
      for (const rule of cellAlarms) this.#alarm(cell, { Cell: cell }, rule, topic);
      dashboard.addWidgets(new cloudwatch.TextWidget({ markdown: `## ${cell}`, width: 24, height: 1 }));
      dashboard.addWidgets(...charts.map((chart) => widgetOf(cell, chart)));
    }
  }

  #alarm(whose: string, of: Readonly<Record<string, string>>, rule: AlarmRule, topic: sns.ITopic): void {
    const name = `${whose}-${rule.name}`;
    const alarm = new cloudwatch.Alarm(this, name, {
      alarmName: name,
      alarmDescription: `${rule.description} ${runbookOf(rule.name)}`,
      metric: metricOf(of, rule.metric, { statistic: rule.statistic, period: Duration.minutes(rule.periodMinutes) }),
      threshold: rule.threshold,
      comparisonOperator: comparisons[rule.wrong],
      evaluationPeriods: rule.periods,
      // Who has stopped telling is broken too.
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(topic));
    alarm.addOkAction(new actions.SnsAction(topic));
  }
}

function widgetOf(cell: string, { title, metrics, statistic }: Chart): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({
    title,
    left: metrics.map((id) => metricOf({ Cell: cell }, id, { statistic, period: Duration.minutes(1) })),
    width: 8,
    height: 6,
  });
}

function routerWidgetOf(
  { domain, zones }: FleetConfig,
  { title, metric, statistic }: (typeof routerCharts)[number],
): cloudwatch.GraphWidget {
  const over = { statistic, period: Duration.minutes(1) };
  return new cloudwatch.GraphWidget({
    title,
    left: zones.map((zone) => metricOf({ Router: domain, Zone: zone }, metric, { ...over, label: zone })),
    width: 8,
    height: 6,
  });
}

function metricOf(
  of: Readonly<Record<string, string>>,
  id: EmfMetricId,
  over: { readonly statistic: string; readonly period: Duration; readonly label?: string },
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: emfNamespace,
    metricName: emfName(id),
    dimensionsMap: { ...of },
    ...over,
  });
}

/** Where the alarm's section is, from the project's root. */
function runbookOf(alarm: string): string {
  return `docs/runbooks/alarms.md#${alarm.toLowerCase()}`;
}
