import path from "node:path";
import { fileURLToPath } from "node:url";
import { renderMetricsPage } from "../shared/telemetry/metrics-page.ts";
import { renderApiVersionsPage } from "./pages/api-versions-page.ts";
import { renderConfigsPage } from "./pages/configs-page.ts";
import { renderCostsPage } from "./pages/costs-page.ts";
import { renderErrorCodesPage } from "./pages/error-codes-page.ts";
import { renderLimitsPage } from "./pages/limits-page.ts";
import { renderOpenapi } from "./pages/openapi-page.ts";
import { renderProvisioningApiPage } from "./pages/provisioning-api-page.ts";

export interface GeneratedPage {
  /** From the project's root. */
  readonly name: string;
  /** Where it lies on this machine. */
  readonly file: string;
  readonly text: string;
}

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

const renderers: Readonly<Record<string, (root: string) => string>> = {
  "docs/api-versions.md": renderApiVersionsPage,
  "docs/configs.md": renderConfigsPage,
  "docs/costs.md": renderCostsPage,
  "docs/error-codes.md": renderErrorCodesPage,
  "docs/limits.md": renderLimitsPage,
  "docs/metrics.md": renderMetricsPage,
  "docs/openapi.json": renderOpenapi,
  "docs/provisioning-api.md": renderProvisioningApiPage,
};

/** Every page that is made from code, as it should be now. */
export function generatedPages(): readonly GeneratedPage[] {
  return Object.entries(renderers).map(([name, render]) => ({
    name,
    file: path.join(projectRoot, name),
    text: render(projectRoot),
  }));
}
