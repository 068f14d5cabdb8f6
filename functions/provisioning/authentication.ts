/** HTTP Basic with the id and the secret of a cloud key. */
import { absentKeyVerifier, secretMatches } from "../../shared/access/api-key-secret.ts";
import { apiKeyKind, apiKeysOf } from "../../shared/control/items/api-key-item.ts";
import { keyLocatorKind, keyLocators } from "../../shared/control/items/key-locator-item.ts";
import { organizationKind, organizations } from "../../shared/control/items/organization-item.ts";
import type { Caller } from "./call.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface Credentials {
  readonly keyId: string;
  readonly secret: string;
}

/** The form of a key's id; anything else is not looked for. */
const keyIdPattern = /^[A-Z0-9]{3,32}$/;
const headerCharactersMax = 1_024;

/** Undefined when the header is missing or malformed. */
export function basicCredentials(authorization: string | undefined): Credentials | undefined {
  if (authorization === undefined || authorization.length > headerCharactersMax) return undefined;
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon < 0) return undefined;
  const keyId = decoded.slice(0, colon);
  return keyIdPattern.test(keyId) ? { keyId, secret: decoded.slice(colon + 1) } : undefined;
}

/**
 * Who it is; undefined when the key is unknown, wrong, revoked, expired, or a cluster's (nobody is told which, nor by the
 * time of the hash). Read from the table each time: a revoked key is refused at once.
 */
export async function authenticate(plane: ControlPlane, credentials: Credentials): Promise<Caller | undefined> {
  const { store, clock } = plane;
  const locator = await store.get(keyLocatorKind, keyLocators, credentials.keyId);
  const organization = locator?.value.organization;
  const [key, owner] =
    organization === undefined
      ? []
      : await Promise.all([
          store.get(apiKeyKind, apiKeysOf(organization), credentials.keyId),
          store.get(organizationKind, organizations, organization),
        ]);
  const right = secretMatches(credentials.secret, key?.value.verifier ?? absentKeyVerifier);
  if (!right || key === undefined || owner === undefined) return undefined;
  const { wish, expiresMs, cluster, id } = key.value;
  if (wish !== "active" || cluster !== undefined) return undefined;
  if (expiresMs !== undefined && clock.wallMs() >= expiresMs) return undefined;
  return { keyId: id, organization: owner.value.id, operator: owner.value.operator, owner: key.value.owner };
}
