/** The environment of the function that keeps the certificate; no secret is in it. */
import { neededVariable } from "../middleware/needed-variable.ts";

export interface CertificateConfig {
  readonly fleet: string;
  readonly secretArn: string;
  /** Of an exportable certificate; undefined: the operator fills the secret. */
  readonly certificateArn: string | undefined;
  readonly names: readonly string[];
}

/** Throws when something is missing: the function must not start half configured. */
export function certificateConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): CertificateConfig {
  const needed = (name: string) => neededVariable(environment, name);
  return {
    fleet: needed("FLEET_NAME"),
    secretArn: needed("CERTIFICATE_SECRET_ARN"),
    certificateArn: environment["CERTIFICATE_ARN"],
    names: needed("CERTIFICATE_NAMES").split(","),
  };
}
