/** What the certificate's secret holds: PEM, the certificate with its chain. */
export interface CertificateSecret {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Errors: an Error that says what is wrong, without the secret's text. */
export function parseCertificateSecret(text: string): CertificateSecret {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('the certificate\'s secret is not JSON: {"certificate": PEM, "privateKey": PEM} is expected');
  }
  const { certificate, privateKey } = (value ?? {}) as Partial<CertificateSecret>;
  if (typeof certificate !== "string" || !certificate.includes("-----BEGIN CERTIFICATE-----"))
    throw new Error('"certificate" of the certificate\'s secret is no PEM certificate');
  if (typeof privateKey !== "string" || !privateKey.includes("PRIVATE KEY-----"))
    throw new Error('"privateKey" of the certificate\'s secret is no PEM key');
  return { certificate, privateKey };
}
