import { environmentKind } from "../../../shared/control/items/environment-item.ts";
import {
  type OrganizationItem,
  organizationKind,
  organizations,
} from "../../../shared/control/items/organization-item.ts";
import type { Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { ControlPlane } from "../control-plane.ts";
import { createObject, notFound } from "../lifecycle/change.ts";
import { newId } from "../lifecycle/ids.ts";
import { listPage } from "../lists.ts";
import { organizationView } from "../views.ts";
import { newEnvironment } from "./environments.ts";

export const listOrganizations: Handler<Contract["listOrganizations"]> = async (plane, call) => {
  const { caller } = call;
  const page = await listPage(plane, {
    kind: organizationKind,
    collection: organizations,
    query: call.query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: ({ id }) => caller.operator || id === caller.organization,
    view: (item) => organizationView(item, call.baseUrl),
  });
  return "problems" in page ? page : { answer: { api_version: "org/v2", kind: "OrganizationList", ...page } };
};

export const getOrganization: Handler<Contract["getOrganization"]> = async (plane, call) => {
  const { caller, params } = call;
  if (!caller.operator && params.id !== caller.organization) return notFound;
  const found = await plane.store.get(organizationKind, organizations, params.id);
  return found === undefined ? notFound : { answer: organizationView(found.value, call.baseUrl) };
};

export const createOrganization: Handler<Contract["createOrganization"]> = async (plane, call) => {
  const { id } = await call.idFor(() => newId("org", plane.random));
  const made = await ensureOrganization(plane, { id, name: call.body.display_name, operator: false });
  return { answer: organizationView(made, call.baseUrl), objectId: id };
};

/**
 * Makes an organization with its default environment, unless it is there. The environment comes first: an organization
 * that can be seen is whole.
 */
export async function ensureOrganization(
  plane: ControlPlane,
  wanted: { readonly id: string; readonly name: string; readonly operator: boolean },
): Promise<OrganizationItem> {
  const present = await plane.store.get(organizationKind, organizations, wanted.id);
  if (present !== undefined) return present.value;
  // Follows from the organization's id, so that doing it again makes no second one.
  const environment = wanted.id.replace(/^org-/, "env-");
  const key = { type: "environment", organization: wanted.id, id: environment } as const;
  const about = { organization: wanted.id, id: environment, name: "default", isDefault: true };
  await createObject(plane, environmentKind, key, newEnvironment(plane, about));
  const item: OrganizationItem = {
    id: wanted.id,
    displayName: wanted.name,
    operator: wanted.operator,
    defaultEnvironment: environment,
    createdMs: plane.clock.wallMs(),
  };
  const created = await plane.store.create(organizationKind, item);
  if (created.kind === "done") return item;
  return (await plane.store.get(organizationKind, organizations, wanted.id))?.value ?? item;
}
