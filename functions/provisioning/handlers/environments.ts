import {
  type EnvironmentItem,
  environmentKind,
  environmentsOf,
} from "../../../shared/control/items/environment-item.ts";
import type { Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { ControlPlane } from "../control-plane.ts";
import { type Change, changeObject, createObject, notFound } from "../lifecycle/change.ts";
import { newId } from "../lifecycle/ids.ts";
import { dropWanted, wantName } from "../lifecycle/names.ts";
import { environmentsPerOrganizationMax } from "../limits.ts";
import { listPage } from "../lists.ts";
import { type Refusal, refuse } from "../problem.ts";
import { environmentView } from "../views.ts";

export const listEnvironments: Handler<Contract["listEnvironments"]> = async (plane, call) => {
  const page = await listPage(plane, {
    kind: environmentKind,
    collection: environmentsOf(call.organization),
    query: call.query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: isVisible,
    view: (item) => environmentView(item, call.baseUrl),
  });
  return "problems" in page ? page : { answer: { api_version: "org/v2", kind: "EnvironmentList", ...page } };
};

export const createEnvironment: Handler<Contract["createEnvironment"]> = async (plane, call) => {
  const { organization, body } = call;
  let count = 0;
  for await (const { value } of plane.store.all(environmentKind, environmentsOf(organization))) {
    if (isVisible(value)) count++;
  }
  if (count >= environmentsPerOrganizationMax) {
    return refuse("limit-reached", `An organization has ${environmentsPerOrganizationMax} environments at most.`);
  }
  const { id } = await call.idFor(() => newId("env", plane.random));
  const wanted = newEnvironment(plane, { organization, id, name: body.display_name, isDefault: false });
  const { value } = await createObject(plane, environmentKind, { type: "environment", organization, id }, wanted);
  if (value?.refusal === "name-taken") return nameTaken;
  if (value === undefined || value.wish !== "active") return notFound;
  if (value.names.held === undefined) return nameUnknown;
  return { answer: environmentView(value, call.baseUrl), objectId: id };
};

export const getEnvironment: Handler<Contract["getEnvironment"]> = async (plane, call) => {
  const found = await plane.store.get(environmentKind, environmentsOf(call.organization), call.params.id);
  return found !== undefined && isVisible(found.value)
    ? { answer: environmentView(found.value, call.baseUrl) }
    : notFound;
};

export const updateEnvironment: Handler<Contract["updateEnvironment"]> = async (plane, call) => {
  const { display_name: name } = call.body;
  const renamed = await change(plane, call, (item) => {
    if (!isVisible(item)) return notFound;
    if (name === undefined || item.displayName === name) return { kind: "as-is" };
    return { value: { ...item, names: wantName(item.names, name), updatedMs: plane.clock.wallMs() } };
  });
  if ("problems" in renamed) return renamed;
  if (name !== undefined && renamed.value.displayName !== name) return nameTaken;
  return { answer: environmentView(renamed.value, call.baseUrl), objectId: call.params.id };
};

export const deleteEnvironment: Handler<Contract["deleteEnvironment"]> = async (plane, call) => {
  const deleted = await change(plane, call, (item) => {
    if (item.wish === "gone" && item.names.held !== undefined) return { kind: "as-is" };
    if (!isVisible(item)) return notFound;
    if (item.isDefault) return refuse("conflict", "The default environment stays.");
    const nowMs = plane.clock.wallMs();
    const { refusal: _refusal, ...kept } = item;
    return { value: { ...kept, names: dropWanted(item.names), wish: "gone", goneMs: nowMs, updatedMs: nowMs } };
  });
  if ("problems" in deleted) return deleted;
  if (deleted.value.wish === "active") return refuse("conflict", "The environment has clusters: delete them first.");
  return { answer: undefined, objectId: call.params.id };
};

export function newEnvironment(
  plane: ControlPlane,
  environment: {
    readonly organization: string;
    readonly id: string;
    readonly name: string;
    readonly isDefault: boolean;
  },
): EnvironmentItem {
  const { organization, id, name, isDefault } = environment;
  const nowMs = plane.clock.wallMs();
  return {
    id,
    organization,
    displayName: name,
    names: wantName({ generation: 0 }, name),
    isDefault,
    createdMs: nowMs,
    updatedMs: nowMs,
    wish: "active",
  };
}

const nameTaken: Refusal = refuse("conflict", "Another environment has this name.", { pointer: "/display_name" });
const nameUnknown: Refusal = refuse(
  "unavailable",
  "It is not known yet whether the name is free: look whether the environment is there in a moment.",
);

function isVisible(item: EnvironmentItem): boolean {
  return item.wish === "active" && item.names.held !== undefined;
}

function isUnsettled({ names, wish }: EnvironmentItem): boolean {
  return names.wanted !== undefined || names.former !== undefined || (wish === "gone" && names.held !== undefined);
}

function change(
  plane: ControlPlane,
  call: { readonly organization: string; readonly params: { readonly id: string } },
  decide: (item: EnvironmentItem) => Change<EnvironmentItem>,
) {
  const { organization, params } = call;
  const key = { type: "environment", organization, id: params.id } as const;
  const collection = environmentsOf(organization);
  return changeObject(plane, { kind: environmentKind, collection, key, isUnsettled, decide });
}
