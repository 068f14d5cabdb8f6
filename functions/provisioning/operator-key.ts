/** The first key of a fleet: without it nobody could call the API. */
import { newApiKey } from "../../shared/access/api-key-secret.ts";
import { type ApiKeyItem, apiKeyKind } from "../../shared/control/items/api-key-item.ts";
import { serviceAccountKind } from "../../shared/control/items/service-account-item.ts";
import { authenticate, type Credentials } from "./authentication.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ensureOrganization } from "./handlers/organizations.ts";
import { newServiceAccount } from "./handlers/service-accounts.ts";
import { createObject } from "./lifecycle/change.ts";

/** The operator's own organization; its cloud keys are operators'. */
export const operatorOrganization = "org-operator";
const operatorAccount = "sa-operator";

/**
 * An operator's cloud key: the one that is kept, while it stands, or a new one. `keep` is called before a new one is in
 * force, so that there is never one whose secret nobody has.
 */
export async function ensureOperatorKey(
  plane: ControlPlane,
  kept: Credentials | undefined,
  keep: (made: Credentials) => Promise<void> | void,
): Promise<Credentials> {
  if (kept !== undefined && (await authenticate(plane, kept)) !== undefined) return kept;
  const organization = operatorOrganization;
  await ensureOrganization(plane, { id: organization, name: "operator", operator: true });
  const account = newServiceAccount(plane, { organization, id: operatorAccount, name: "operator" });
  await createObject(plane, serviceAccountKind, { type: "service-account", organization, id: account.id }, account);
  const { keyId, secret, verifier } = newApiKey(plane.random);
  const nowMs = plane.clock.wallMs();
  const key: ApiKeyItem = {
    id: keyId,
    organization,
    owner: operatorAccount,
    displayName: "operator",
    description: "Made when the fleet was.",
    verifier,
    createdMs: nowMs,
    updatedMs: nowMs,
    wish: "active",
    settled: false,
  };
  await keep({ keyId, secret });
  await createObject(plane, apiKeyKind, { type: "api-key", organization, id: keyId }, key);
  return { keyId, secret };
}
