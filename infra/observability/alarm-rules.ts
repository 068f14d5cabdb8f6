import type { EmfMetricId } from "../../shared/telemetry/emf.ts";
import { certificateDaysMin } from "../fleet/limits.ts";

/** When a person is told, from metrics that brokers or functions print. Data only: stacks and the costs page read it. */
export interface AlarmRule {
  readonly name: string;
  readonly metric: EmfMetricId;
  readonly statistic: string;
  readonly threshold: number;
  /** Which side of the threshold is wrong. */
  readonly wrong: "above" | "below";
  readonly periodMinutes: number;
  /** So many periods in a row are wrong. */
  readonly periods: number;
  /** What a person who is woken by it should know first. */
  readonly description: string;
}

const minute = { periodMinutes: 1, wrong: "above" } as const;
const day = { periodMinutes: 1_440, periods: 1 } as const;

/** For each cell. */
export const cellAlarms: readonly AlarmRule[] = [
  {
    name: "PartitionsWithoutLeader",
    metric: "partitionsWithoutLeader",
    statistic: "Maximum",
    threshold: 0,
    ...minute,
    periods: 2,
    description: "Some partitions can be neither written nor read. Are two zones, or two brokers of the cell, down?",
  },
  {
    name: "PartitionsUnderReplicated",
    metric: "partitionsUnderReplicated",
    statistic: "Maximum",
    threshold: 0,
    ...minute,
    periods: 15,
    description: "Some partitions have lacked a replica for a quarter of an hour: the next failure may stop them.",
  },
  {
    name: "LogFailures",
    metric: "logFailures",
    statistic: "Sum",
    threshold: 0,
    ...minute,
    periods: 1,
    description: "A broker could not write to its volume: it is full, or failing.",
  },
  {
    name: "CoordinatorNotLoaded",
    metric: "coordinatorLoadFailures",
    statistic: "Sum",
    threshold: 0,
    ...minute,
    periods: 1,
    description: "Groups are not served since their partition holds what this version cannot read: was it rolled back?",
  },
  {
    name: "MetadataUnreadable",
    metric: "metadataReadFailures",
    statistic: "Sum",
    threshold: 30,
    ...minute,
    periods: 5,
    description: "Brokers cannot read the metadata log: data flows on, but topics, keys and elections wait.",
  },
  {
    name: "EventLoopDelay",
    metric: "eventLoopDelay",
    statistic: "Maximum",
    threshold: 0.5,
    ...minute,
    periods: 5,
    description: "A broker is late by half a second and more: it is overloaded, or starved of processor.",
  },
];

/** For the routers of each zone. */
export const routerAlarms: readonly AlarmRule[] = [
  {
    name: "RoutersLate",
    metric: "eventLoopDelay",
    statistic: "Maximum",
    threshold: 0.5,
    ...minute,
    periods: 5,
    description:
      "The routers of a zone are overloaded, or none of them runs: clients that go by this zone do not get in.",
  },
  {
    name: "RoutersBehind",
    metric: "routerLogAge",
    statistic: "Maximum",
    threshold: 60,
    ...minute,
    periods: 5,
    description:
      "A router of the zone has not read a cell's log for a minute: it knows neither new clusters nor moved brokers.",
  },
];

/** For the fleet. */
export const fleetAlarms: readonly AlarmRule[] = [
  {
    name: "ReconcilerFails",
    metric: "reconcileFailures",
    // One run that settles everything is enough: those that fail are tried again each minute.
    statistic: "Minimum",
    threshold: 0,
    periodMinutes: 5,
    wrong: "above",
    periods: 3,
    description: "What calls of the provisioning API left half done is not finished, and what was deleted not purged.",
  },
  {
    name: "CertificateNotKept",
    metric: "certificateFailures",
    // A run that fails is tried again: that all runs of a day failed is what counts.
    statistic: "Minimum",
    threshold: 0,
    wrong: "above",
    ...day,
    description: "Brokers have no certificate that they can use, or do not get the renewed one.",
  },
  {
    name: "CertificateEndsSoon",
    metric: "certificateDaysLeft",
    statistic: "Minimum",
    threshold: certificateDaysMin,
    wrong: "below",
    ...day,
    description: "The certificate that brokers use ends soon: no client will connect after that.",
  },
];
