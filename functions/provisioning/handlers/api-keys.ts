import { newApiKey } from "../../../shared/access/api-key-secret.ts";
import { type ApiKeyItem, apiKeyKind, apiKeysOf } from "../../../shared/control/items/api-key-item.ts";
import { clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import { serviceAccountKind, serviceAccountsOf } from "../../../shared/control/items/service-account-item.ts";
import type { Call, Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { ReferenceRequest } from "../contract/schemas.ts";
import type { ControlPlane } from "../control-plane.ts";
import { type Change, changeObject, createObject, notFound } from "../lifecycle/change.ts";
import { listPage } from "../lists.ts";
import { type Refusal, refuse } from "../problem.ts";
import { apiKeyView } from "../views.ts";
import { isVisible as isClusterVisible } from "./clusters.ts";

export const listApiKeys: Handler<Contract["listApiKeys"]> = async (plane, call) => {
  const { "spec.owner": owner, "spec.resource": resource } = call.query;
  const page = await listPage(plane, {
    kind: apiKeyKind,
    collection: apiKeysOf(call.organization),
    query: call.query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: (item) =>
      isVisible(item) &&
      (owner === undefined || item.owner === owner) &&
      (resource === undefined || item.cluster === resource),
    view: (item) => apiKeyView(item, call.baseUrl),
  });
  return "problems" in page ? page : { answer: { api_version: "iam/v2", kind: "ApiKeyList", ...page } };
};

export const createApiKey: Handler<Contract["createApiKey"]> = async (plane, call) => {
  const { organization, body } = call;
  const { spec } = body;
  const owner = await ownerOf(plane, call);
  if (typeof owner !== "string") return owner;
  const place = await placeOf(plane, organization, spec.resource);
  if ("problems" in place) return place;
  const made = newApiKey(plane.random);
  const { id } = await call.idFor(() => made.keyId);
  const nowMs = plane.clock.wallMs();
  const wanted: ApiKeyItem = {
    id,
    organization,
    owner,
    displayName: spec.display_name ?? "",
    description: spec.description ?? "",
    verifier: made.verifier,
    ...place,
    ...(spec.expires_at === undefined ? {} : { expiresMs: Math.max(0, Date.parse(spec.expires_at)) }),
    createdMs: nowMs,
    updatedMs: nowMs,
    wish: "active",
    settled: false,
  };
  const { value, fresh } = await createObject(plane, apiKeyKind, { type: "api-key", organization, id }, wanted);
  if (value === undefined || value.wish !== "active") return creationRefused(value);
  // The secret of a call that was sent before is nowhere any more.
  return { answer: apiKeyView(value, call.baseUrl, fresh ? made.secret : undefined), objectId: id };
};

export const getApiKey: Handler<Contract["getApiKey"]> = async (plane, call) => {
  const found = await plane.store.get(apiKeyKind, apiKeysOf(call.organization), call.params.id);
  return found !== undefined && isVisible(found.value) ? { answer: apiKeyView(found.value, call.baseUrl) } : notFound;
};

export const updateApiKey: Handler<Contract["updateApiKey"]> = async (plane, call) => {
  const { display_name: displayName, description } = call.body.spec;
  const changed = await change(plane, call, (item) => {
    if (!isVisible(item)) return notFound;
    return {
      value: {
        ...item,
        displayName: displayName ?? item.displayName,
        description: description ?? item.description,
        updatedMs: plane.clock.wallMs(),
      },
    };
  });
  if ("problems" in changed) return changed;
  return { answer: apiKeyView(changed.value, call.baseUrl), objectId: call.params.id };
};

export const deleteApiKey: Handler<Contract["deleteApiKey"]> = async (plane, call) => {
  if (call.params.id === call.caller.keyId) {
    return refuse("conflict", "The call is made with this key: use another one, so that nobody is locked out.");
  }
  const deleted = await change(plane, call, (item) => {
    // Revoked by a call that could not finish: this one does.
    if (item.wish === "gone" && !item.settled) return { kind: "as-is" };
    if (!isVisible(item)) return notFound;
    const nowMs = plane.clock.wallMs();
    return { value: { ...item, wish: "gone", settled: false, goneMs: nowMs, updatedMs: nowMs } };
  });
  return "problems" in deleted ? deleted : { answer: undefined, objectId: call.params.id };
};

function isVisible(item: ApiKeyItem): boolean {
  return item.wish === "active";
}

function change(
  plane: ControlPlane,
  call: { readonly organization: string; readonly params: { readonly id: string } },
  decide: (item: ApiKeyItem) => Change<ApiKeyItem>,
) {
  const { organization, params } = call;
  return changeObject(plane, {
    kind: apiKeyKind,
    collection: apiKeysOf(organization),
    key: { type: "api-key", organization, id: params.id },
    isUnsettled: ({ settled }) => !settled,
    decide,
  });
}

async function ownerOf(plane: ControlPlane, call: Call<Contract["createApiKey"]>): Promise<string | Refusal> {
  const { caller, organization, body } = call;
  const owner = body.spec.owner?.id ?? (caller.organization === organization ? caller.owner : undefined);
  const source = { pointer: "/spec/owner/id" };
  if (owner === undefined) return refuse("unprocessable", "An operator names the owner of a tenant's key.", source);
  const account = await plane.store.get(serviceAccountKind, serviceAccountsOf(organization), owner);
  const stands = account?.value.wish === "active" && account.value.names.held !== undefined;
  return stands ? owner : refuse("not-found", `There is no service account ${owner}.`, source);
}

/** The cluster of a cluster key, and its cell; nothing for a cloud key. */
async function placeOf(
  plane: ControlPlane,
  organization: string,
  resource: ReferenceRequest | undefined,
): Promise<Pick<ApiKeyItem, "cluster" | "cell"> | Refusal> {
  if (resource === undefined || resource.id === "cloud") return {};
  const found = await plane.store.get(clusterKind, clustersOf(organization), resource.id);
  if (found === undefined || !isClusterVisible(found.value)) {
    return refuse("not-found", `There is no cluster ${resource.id}.`, { pointer: "/spec/resource/id" });
  }
  return { cluster: found.value.id, cell: found.value.cell };
}

function creationRefused(item: ApiKeyItem | undefined): Refusal {
  switch (item?.refusal) {
    case "owner-gone":
      return refuse("not-found", "The service account was deleted.", { pointer: "/spec/owner/id" });
    case "cluster-gone":
      return refuse("not-found", "The cluster was deleted.", { pointer: "/spec/resource/id" });
    case undefined:
      return refuse("conflict", "The key was deleted meanwhile.");
  }
}
