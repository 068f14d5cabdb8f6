/** The environment of the function that keeps the certificate; no secret is in it. */
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
  const needed = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
    return value;
  };
  return {
    fleet: needed("FLEET_NAME"),
    secretArn: needed("CERTIFICATE_SECRET_ARN"),
    certificateArn: environment["CERTIFICATE_ARN"],
    names: needed("CERTIFICATE_NAMES").split(","),
  };
}
