import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { ClientIdentity } from "../handlers/context/client-session.ts";

/** Longest PLAIN token that is looked at: ids and secrets are far shorter. */
const plainTokenBytesMax = 1_024;

/** Whether the secret is the one that the verifier was made of. */
export type VerifySecret = (secret: string, verifier: string) => Promise<boolean>;

/** Checks API keys and their secrets against the newest image; the check is one hash (docs/adr/0005). */
export class ApiKeyCredentials {
  readonly #image: () => MetadataImage;
  readonly #verifySecret: VerifySecret;

  constructor(image: () => MetadataImage, verifySecret: VerifySecret) {
    this.#image = image;
    this.#verifySecret = verifySecret;
  }

  /** Whose SASL/PLAIN token it is; undefined when it is malformed, unknown or wrong (nobody is told which). */
  async authenticatePlain(token: Buffer): Promise<ClientIdentity | undefined> {
    const parsed = parsePlainToken(token);
    if (parsed === undefined) return undefined;
    const key = this.#image().apiKeys.get(parsed.user);
    if (key === undefined || !(await this.#verifySecret(parsed.password, key.verifier))) return undefined;
    return { lkc: key.lkc, principal: key.principal, keyId: key.keyId };
  }

  /** Whether the key that authenticated a connection still stands. */
  isValid({ keyId, lkc }: ClientIdentity): boolean {
    return keyId === undefined || this.#image().apiKeys.get(keyId)?.lkc === lkc;
  }
}

/**
 * `authorization id NUL user NUL password` (RFC 4616). undefined when malformed, or when the client wants to act as
 * somebody else.
 */
export function parsePlainToken(token: Buffer): { readonly user: string; readonly password: string } | undefined {
  if (token.length > plainTokenBytesMax) return undefined;
  const parts = token.toString("utf8").split("\0");
  const [authorizationId = "", user = "", password = ""] = parts;
  if (parts.length !== 3 || user === "" || password === "") return undefined;
  return authorizationId === "" || authorizationId === user ? { user, password } : undefined;
}
