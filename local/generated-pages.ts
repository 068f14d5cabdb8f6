import { fileURLToPath } from "node:url";
import { renderMetricsPage } from "../shared/telemetry/metrics-page.ts";

export interface GeneratedPage {
  /** From the project's root. */
  readonly name: string;
  /** Where it lies on this machine. */
  readonly file: string;
  readonly text: string;
}

const renderers: Readonly<Record<string, () => string>> = {
  "docs/metrics.md": renderMetricsPage,
};

/** Every page that is made from code, as it should be now. */
export function generatedPages(): readonly GeneratedPage[] {
  return Object.entries(renderers).map(([name, render]) => ({
    name,
    file: fileURLToPath(new URL(`../${name}`, import.meta.url)),
    text: render(),
  }));
}
