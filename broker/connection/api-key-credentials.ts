import { createHmac, timingSafeEqual } from "node:crypto";
import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { ApiKeyUpserted } from "../../shared/metadata/records/record.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { ClientIdentity } from "../handlers/context/client-session.ts";
import type { ConnectionLimits } from "./limits.ts";

/** Whether the secret is the one that the verifier was made from. Slow on purpose. */
export type VerifySecret = (secret: string, verifier: string) => Promise<boolean>;

export interface ApiKeyCredentialsOptions {
  readonly image: () => MetadataImage;
  readonly verifySecret: VerifySecret;
  readonly random: Random;
  readonly limits: Pick<ConnectionLimits, "secretChecksMax" | "secretChecksWaitingMax" | "checkedSecretsMax">;
}

/** SASL/PLAIN (RFC 4616): `authorization id NUL user NUL password`, at most so many bytes. */
const plainTokenBytesMax = 1_024;
const digestKeyBytes = 32;

interface CheckedSecret {
  readonly verifier: string;
  readonly digest: Buffer;
}

/**
 * Checks API keys and their secrets against the image.
 *
 * A check costs tens of milliseconds of a thread that file I/O shares, so few run at a time, few wait, and a secret that
 * was found right is remembered: by a digest with a key that never leaves this process. Changing or deleting a key makes
 * what is remembered of it worthless at once.
 */
export class ApiKeyCredentials {
  readonly #options: ApiKeyCredentialsOptions;
  readonly #digestKey: Buffer;
  /** By key id, oldest first. */
  readonly #checked = new Map<string, CheckedSecret>();
  readonly #waiting: (() => void)[] = [];
  #checks = 0;

  constructor(options: ApiKeyCredentialsOptions) {
    this.#options = options;
    this.#digestKey = options.random.bytes(digestKeyBytes);
  }

  /** Whose token it is; undefined when it is malformed, unknown or wrong (nobody is told which). */
  async authenticatePlain(token: Buffer): Promise<ClientIdentity | undefined> {
    const parsed = parsePlainToken(token);
    if (parsed === undefined) return undefined;
    const key = this.#options.image().apiKeys.get(parsed.user);
    if (key === undefined || !(await this.#isRight(key, parsed.password))) return undefined;
    return { lkc: key.lkc, principal: key.principal, keyId: key.keyId };
  }

  /** Whether a key that authenticated a connection still stands. */
  isValid({ keyId, lkc }: ClientIdentity): boolean {
    return keyId === undefined || this.#options.image().apiKeys.get(keyId)?.lkc === lkc;
  }

  async #isRight({ keyId, verifier }: ApiKeyUpserted, secret: string): Promise<boolean> {
    const digest = createHmac("sha256", this.#digestKey).update(secret).digest();
    const known = this.#checked.get(keyId);
    if (known !== undefined && known.verifier === verifier && timingSafeEqual(known.digest, digest)) return true;
    if (!(await this.#enter())) return false;
    try {
      if (!(await this.#options.verifySecret(secret, verifier))) return false;
    } finally {
      this.#leave();
    }
    this.#remember(keyId, { verifier, digest });
    return true;
  }

  #remember(keyId: string, checked: CheckedSecret): void {
    this.#checked.delete(keyId);
    this.#checked.set(keyId, checked);
    if (this.#checked.size <= this.#options.limits.checkedSecretsMax) return;
    const [oldest] = this.#checked.keys();
    if (oldest !== undefined) this.#checked.delete(oldest);
  }

  async #enter(): Promise<boolean> {
    const { secretChecksMax, secretChecksWaitingMax } = this.#options.limits;
    if (this.#checks < secretChecksMax) {
      this.#checks += 1;
      return true;
    }
    if (this.#waiting.length >= secretChecksWaitingMax) return false;
    // Whoever leaves hands its place over.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#checks -= 1;
    else next();
  }
}

/** User and password; undefined when malformed, or when the client wants to act as somebody else. */
export function parsePlainToken(token: Buffer): { readonly user: string; readonly password: string } | undefined {
  if (token.length > plainTokenBytesMax) return undefined;
  const parts = token.toString("utf8").split("\0");
  const [authorizationId = "", user = "", password = ""] = parts;
  if (parts.length !== 3 || user === "" || password === "") return undefined;
  return authorizationId === "" || authorizationId === user ? { user, password } : undefined;
}
