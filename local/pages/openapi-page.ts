import { openapiDocument } from "../../functions/provisioning/openapi.ts";

/** The OpenAPI document as a file. */
export function renderOpenapi(): string {
  return `${JSON.stringify(openapiDocument(), undefined, 2)}\n`;
}
