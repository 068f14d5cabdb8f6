import {
  type ServiceAccountItem,
  serviceAccountKind,
  serviceAccountsOf,
} from "../../../shared/control/items/service-account-item.ts";
import type { Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { ControlPlane } from "../control-plane.ts";
import { type Change, changeObject, createObject, notFound } from "../lifecycle/change.ts";
import { newId } from "../lifecycle/ids.ts";
import { dropWanted, wantName } from "../lifecycle/names.ts";
import { listPage } from "../lists.ts";
import { type Refusal, refuse } from "../problem.ts";
import { serviceAccountView } from "../views.ts";

export const listServiceAccounts: Handler<Contract["listServiceAccounts"]> = async (plane, call) => {
  const { display_name: name } = call.query;
  const page = await listPage(plane, {
    kind: serviceAccountKind,
    collection: serviceAccountsOf(call.organization),
    query: call.query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: (item) => isVisible(item) && (name === undefined || item.displayName === name),
    view: (item) => serviceAccountView(item, call.baseUrl),
  });
  return "problems" in page ? page : { answer: { api_version: "iam/v2", kind: "ServiceAccountList", ...page } };
};

export const createServiceAccount: Handler<Contract["createServiceAccount"]> = async (plane, call) => {
  const { organization, body } = call;
  const { id } = await call.idFor(() => newId("sa", plane.random));
  const wanted = newServiceAccount(plane, { organization, id, name: body.display_name });
  const { value } = await createObject(
    plane,
    serviceAccountKind,
    { type: "service-account", organization, id },
    { ...wanted, description: body.description ?? "" },
  );
  if (value?.refusal === "name-taken") return nameTaken;
  if (value === undefined || value.wish !== "active") return notFound;
  if (value.names.held === undefined) return nameUnknown;
  return { answer: serviceAccountView(value, call.baseUrl), objectId: id };
};

export const getServiceAccount: Handler<Contract["getServiceAccount"]> = async (plane, call) => {
  const found = await plane.store.get(serviceAccountKind, serviceAccountsOf(call.organization), call.params.id);
  return found !== undefined && isVisible(found.value)
    ? { answer: serviceAccountView(found.value, call.baseUrl) }
    : notFound;
};

export const updateServiceAccount: Handler<Contract["updateServiceAccount"]> = async (plane, call) => {
  const { display_name: name, description } = call.body;
  if (name !== undefined) {
    const renamed = await change(plane, call, (item) => {
      if (!isVisible(item)) return notFound;
      if (item.displayName === name) return { kind: "as-is" };
      return { value: { ...item, names: wantName(item.names, name), updatedMs: plane.clock.wallMs() } };
    });
    if ("problems" in renamed) return renamed;
    if (renamed.value.displayName !== name) return nameTaken;
  }
  const changed = await change(plane, call, (item) => {
    if (!isVisible(item)) return notFound;
    if (description === undefined || description === item.description) return { kind: "as-is" };
    return { value: { ...item, description, updatedMs: plane.clock.wallMs() } };
  });
  if ("problems" in changed) return changed;
  return { answer: serviceAccountView(changed.value, call.baseUrl), objectId: call.params.id };
};

export const deleteServiceAccount: Handler<Contract["deleteServiceAccount"]> = async (plane, call) => {
  if (call.params.id === call.caller.owner) {
    return refuse("conflict", "The call is made in the name of this service account: use another one's key.");
  }
  const deleted = await change(plane, call, (item) => {
    if (item.wish === "gone" && item.names.held !== undefined) return { kind: "as-is" };
    if (!isVisible(item)) return notFound;
    const nowMs = plane.clock.wallMs();
    return { value: { ...item, names: dropWanted(item.names), wish: "gone", goneMs: nowMs, updatedMs: nowMs } };
  });
  return "problems" in deleted ? deleted : { answer: undefined, objectId: call.params.id };
};

export function newServiceAccount(
  plane: ControlPlane,
  account: { readonly organization: string; readonly id: string; readonly name: string },
): ServiceAccountItem {
  const nowMs = plane.clock.wallMs();
  return {
    id: account.id,
    organization: account.organization,
    displayName: account.name,
    description: "",
    names: wantName({ generation: 0 }, account.name),
    createdMs: nowMs,
    updatedMs: nowMs,
    wish: "active",
  };
}

const nameTaken: Refusal = refuse("conflict", "Another service account has this name.", { pointer: "/display_name" });
const nameUnknown: Refusal = refuse(
  "unavailable",
  "It is not known yet whether the name is free: look whether the service account is there in a moment.",
);

function isVisible(item: ServiceAccountItem): boolean {
  return item.wish === "active" && item.names.held !== undefined;
}

function isUnsettled({ names, wish }: ServiceAccountItem): boolean {
  return names.wanted !== undefined || names.former !== undefined || (wish === "gone" && names.held !== undefined);
}

function change(
  plane: ControlPlane,
  call: { readonly organization: string; readonly params: { readonly id: string } },
  decide: (item: ServiceAccountItem) => Change<ServiceAccountItem>,
) {
  const { organization, params } = call;
  const key = { type: "service-account", organization, id: params.id } as const;
  const collection = serviceAccountsOf(organization);
  return changeObject(plane, { kind: serviceAccountKind, collection, key, isUnsettled, decide });
}
