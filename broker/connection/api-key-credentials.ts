import { absentKeyVerifier } from "../../shared/access/api-key-secret.ts";
import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { ApiKeyUpserted, LogicalClusterId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { ClientIdentity } from "../handlers/context/client-session.ts";

/** Longest PLAIN token that is looked at: ids and secrets are far shorter. */
const plainTokenBytesMax = 1_024;

/** Whether the secret is the one that the verifier was made of. */
export type VerifySecret = (secret: string, verifier: string) => Promise<boolean>;

/** Checks API keys and their secrets against the newest image; the check is one hash (docs/adr/0005). */
export class ApiKeyCredentials {
  readonly #image: () => MetadataImage;
  readonly #verifySecret: VerifySecret;
  readonly #clock: Clock;
  readonly #lookUp: () => Promise<void>;

  constructor(parts: {
    image(): MetadataImage;
    readonly verifySecret: VerifySecret;
    readonly clock: Clock;
    /** Has the image brought up to the log's tail, on behalf of a key that is not in it (`LogLook`). */
    lookUp(): Promise<void>;
  }) {
    this.#image = () => parts.image();
    this.#verifySecret = parts.verifySecret;
    this.#clock = parts.clock;
    this.#lookUp = () => parts.lookUp();
  }

  /**
   * Whose SASL/PLAIN token it is; undefined when it is malformed, unknown, wrong, expired, or of a closed logical cluster
   * (nobody is told which, nor by the time that it takes).
   */
  async authenticatePlain(token: Buffer): Promise<ClientIdentity | undefined> {
    const parsed = parsePlainToken(token);
    if (parsed === undefined) return undefined;
    if (!this.#image().apiKeys.has(parsed.user)) await this.#lookUp();
    const key = this.#image().apiKeys.get(parsed.user);
    const right = await this.#verifySecret(parsed.password, key?.verifier ?? absentKeyVerifier);
    if (key === undefined || !right || !this.#stands(key)) return undefined;
    return { lkc: key.lkc, principal: key.principal, keyId: key.keyId };
  }

  /**
   * Whether a connection may still be served: its key stands and its logical cluster is open. Looked at before each
   * request and by the periodic sweep, so that connections that wait for something end as well.
   */
  isValid({ keyId, lkc }: ClientIdentity): boolean {
    // A plaintext listener is bound to its cluster without a key, and may be open before the cluster is made.
    if (keyId === undefined) return this.#image().logicalClusters.get(lkc)?.closedMs === undefined;
    const key = this.#image().apiKeys.get(keyId);
    return key !== undefined && key.lkc === lkc && this.#stands(key);
  }

  #stands({ lkc, expiresMs }: ApiKeyUpserted): boolean {
    return this.#isOpen(lkc) && (expiresMs === undefined || this.#clock.wallMs() < expiresMs);
  }

  #isOpen(lkc: LogicalClusterId): boolean {
    const cluster = this.#image().logicalClusters.get(lkc);
    return cluster !== undefined && cluster.closedMs === undefined;
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
