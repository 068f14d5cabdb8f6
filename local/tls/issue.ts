/** X.509 certificates by ECDSA P-256, through @peculiar/x509: Node makes keys but no certificates. */
// The library's dependency injection asks for this first.
import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface KeyAndCertificate {
  readonly keyPem: string;
  readonly certificatePem: string;
}

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const authorityName = "CN=Balafon local authority";
const serverName = "CN=Balafon local broker";
/** RFC 5280 allows 20 bytes; the first bit stays clear, so that the number is positive. */
const serialBytes = 16;

/** A self-signed authority that may sign servers and nothing below. */
export async function issueAuthority(validity: Validity): Promise<KeyAndCertificate> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: authorityName,
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(validity.notAfterMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { keyPem: exportKey(keys.privateKey), certificatePem: `${certificate.toString("pem")}\n` };
}

export async function issueServerCertificate(
  request: Validity & {
    readonly authorityPem: string;
    readonly authorityKeyPem: string;
    readonly names: readonly string[];
    readonly addresses: readonly string[];
  },
): Promise<KeyAndCertificate> {
  const authority = new X509Certificate(request.authorityPem);
  const [authorityKeyDer] = PemConverter.decode(request.authorityKeyPem);
  if (authorityKeyDer === undefined) throw new Error("the authority's key file holds no key");
  const signingKey = await webcrypto.subtle.importKey("pkcs8", authorityKeyDer, algorithm, false, ["sign"]);
  const keys = await makeKeys();
  const alternatives: JsonGeneralName[] = [
    ...request.names.map((value) => ({ type: "dns", value }) as const),
    ...request.addresses.map((value) => ({ type: "ip", value }) as const),
  ];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: serverName,
    issuer: authority.subject,
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(alternatives),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  return { keyPem: exportKey(keys.privateKey), certificatePem: `${certificate.toString("pem")}\n` };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function exportKey(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

function serialNumber(): string {
  const bytes = randomBytes(serialBytes);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("hex");
}
