/** One run of the certificate's keeper with what people see of it: a line of metrics, and an error that says what is wrong. */
import { EmfReporter, fleetEmfMetrics } from "../../shared/telemetry/emf.ts";
import { MetricsRegistry } from "../../shared/telemetry/metrics-registry.ts";
import { type CertificateKeeperOptions, type Kept, keepCertificate } from "./certificate-keeper.ts";

export interface CertificateRunOptions extends CertificateKeeperOptions {
  readonly fleet: string;
  /** Where lines of metrics go. */
  readonly write: (line: string) => void;
}

export type CertificateReport = Readonly<Record<string, unknown>> & {
  readonly kind: "unchanged" | "renewed";
  readonly daysLeft: number;
};

/** Rejects when brokers have no certificate that they can use, or would not get the renewed one; the metrics say so too. */
export async function runCertificateKeeper(options: CertificateRunOptions): Promise<CertificateReport> {
  let kept: Kept | undefined;
  try {
    kept = await keepCertificate(options);
  } finally {
    print(options, kept);
  }
  if (kept.kind === "failed") throw new Error(kept.why, { cause: kept.error });
  return kept;
}

/** What was not found out is not told: the alarm on missing days sees it. */
function print({ fleet, clock, write }: CertificateRunOptions, kept: Kept | undefined): void {
  const registry = new MetricsRegistry();
  registry.counter("certificateFailures", {}).add(kept === undefined || kept.kind === "failed" ? 1 : 0);
  const metrics = fleetEmfMetrics.filter((id) => id !== "certificateDaysLeft" || kept !== undefined);
  if (kept !== undefined) registry.gauge("certificateDaysLeft", {}).set(kept.daysLeft);
  write(`${new EmfReporter({ Fleet: fleet }, metrics).line(registry.samples(), clock.wallMs())}\n`);
}
