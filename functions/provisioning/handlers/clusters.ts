import { type ClusterItem, clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import { environmentKind, environmentsOf } from "../../../shared/control/items/environment-item.ts";
import { organizationKind, organizations } from "../../../shared/control/items/organization-item.ts";
import type { Call, Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { BodyOf } from "../contract/route.ts";
import type { ControlPlane } from "../control-plane.ts";
import { type Change, changeObject, createObject, notFound } from "../lifecycle/change.ts";
import { newClusterId } from "../lifecycle/ids.ts";
import { dropWanted, wantName } from "../lifecycle/names.ts";
import { listPage } from "../lists.ts";
import { place } from "../placement.ts";
import { type Refusal, refuse } from "../problem.ts";
import { clusterView } from "../views.ts";

export const listClusters: Handler<Contract["listClusters"]> = async (plane, call) => {
  const { query, organization } = call;
  const { environment, deleted = false, "spec.deletion_protection": isProtected } = query;
  if (deleted && !call.caller.operator) {
    return refuse("forbidden", "Only operators see deleted clusters.", { parameter: "deleted" });
  }
  if (!(await hasEnvironment(plane, organization, environment))) {
    return refuse("not-found", `There is no environment ${environment}.`, { parameter: "environment" });
  }
  const page = await listPage(plane, {
    kind: clusterKind,
    collection: clustersOf(organization),
    query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: (item) =>
      item.environment === environment &&
      (deleted ? item.wish === "closed" && item.made : isVisible(item)) &&
      (isProtected === undefined || item.deletionProtection === isProtected),
    view: (item) => viewOf(plane, call, item),
  });
  return "problems" in page ? page : { answer: { api_version: "cmk/v2", kind: "ClusterList", ...page } };
};

export const createCluster: Handler<Contract["createCluster"]> = async (plane, call) => {
  const { organization, body } = call;
  const { spec } = body;
  const refused = notOfferedHere(plane, spec);
  if (refused !== undefined) return refused;
  const environment = spec.environment?.id ?? (await defaultEnvironment(plane, organization));
  if (environment === undefined || !(await hasEnvironment(plane, organization, environment))) {
    return refuse("not-found", `There is no environment ${environment}.`, { pointer: "/spec/environment/id" });
  }
  const placement = await placeCluster(plane);
  if (placement.kind === "no-room") {
    return refuse("limit-reached", "No cell of the fleet takes another cluster now.");
  }
  const { id } = await call.idFor(() => newClusterId(plane.random));
  const nowMs = plane.clock.wallMs();
  const wanted: ClusterItem = {
    id,
    organization,
    environment,
    displayName: spec.display_name,
    names: wantName({ generation: 0 }, spec.display_name),
    cell: placement.cell,
    cloud: plane.fleet.cloud,
    region: plane.fleet.region,
    availability: spec.availability ?? "MULTI_ZONE",
    config: spec.config?.kind ?? "Basic",
    deletionProtection: spec.deletion_protection ?? false,
    createdMs: nowMs,
    updatedMs: nowMs,
    wish: "open",
    logged: false,
    made: false,
  };
  const { value } = await createObject(plane, clusterKind, { type: "cluster", organization, id }, wanted);
  const why = value === undefined ? notFound : creationRefused(value);
  return why ?? { answer: viewOf(plane, call, value as ClusterItem), objectId: id };
};

export const getCluster: Handler<Contract["getCluster"]> = async (plane, call) => {
  const found = await plane.store.get(clusterKind, clustersOf(call.organization), call.params.id);
  const shown = found !== undefined && isVisible(found.value) && found.value.environment === call.query.environment;
  return shown ? { answer: viewOf(plane, call, found.value) } : notFound;
};

export const updateCluster: Handler<Contract["updateCluster"]> = async (plane, call) => {
  const { display_name: name, environment, config, deletion_protection: deletionProtection } = call.body.spec;
  const check = (item: ClusterItem): Refusal | undefined => {
    if (!isVisible(item)) return notFound;
    return environment === undefined || environment.id === item.environment
      ? undefined
      : refuse("conflict", "A cluster stays in its environment.", { pointer: "/spec/environment/id" });
  };
  if (name !== undefined) {
    const renamed = await change(plane, call, (item) => {
      const names = wantName(item.names, name);
      return check(item) ?? (item.displayName === name ? asIs : { value: { ...item, ...touched(plane), names } });
    });
    if ("problems" in renamed) return renamed;
    if (renamed.value.displayName !== name) return nameTaken("/spec/display_name");
  }
  const changed = await change(plane, call, (item) => {
    const value: ClusterItem = {
      ...item,
      config: config?.kind ?? item.config,
      deletionProtection: deletionProtection ?? item.deletionProtection,
    };
    const same = value.config === item.config && value.deletionProtection === item.deletionProtection;
    return check(item) ?? (same ? asIs : { value: { ...value, ...touched(plane) } });
  });
  if ("problems" in changed) return changed;
  return { answer: viewOf(plane, call, changed.value), objectId: call.params.id };
};

export const deleteCluster: Handler<Contract["deleteCluster"]> = async (plane, call) => {
  const deleted = await change(plane, call, (item) => {
    if (item.environment !== call.query.environment) return notFound;
    // Closed by a call that could not finish: this one does.
    if (item.wish === "closed" && !item.logged) return asIs;
    if (!isVisible(item)) return notFound;
    if (item.deletionProtection) {
      return refuse("conflict", "The cluster is protected: set spec.deletion_protection to false first.");
    }
    const nowMs = plane.clock.wallMs();
    const names = dropWanted(item.names);
    return { value: { ...item, names, wish: "closed", logged: false, closedMs: nowMs, updatedMs: nowMs } };
  });
  return "problems" in deleted ? deleted : { answer: undefined, objectId: call.params.id };
};

export const restoreCluster: Handler<Contract["restoreCluster"]> = async (plane, call) => {
  const restored = await change(plane, call, (item) => {
    if (item.environment !== call.query.environment) return notFound;
    if (isVisible(item)) return asIs;
    if (item.wish !== "closed" || !item.made) return notFound;
    const { refusal: _refusal, ...kept } = item;
    const names = wantName(item.names, item.displayName);
    return { value: { ...kept, ...touched(plane), names, wish: "open", logged: false } };
  });
  if ("problems" in restored) return restored;
  const { value } = restored;
  if (value.wish !== "open") {
    switch (value.refusal) {
      case "environment-gone":
        return refuse("conflict", "Its environment is gone.");
      case "name-taken":
        return refuse("conflict", "Another cluster of the environment has its name now.");
      case undefined:
        return refuse("conflict", "It was deleted again meanwhile.");
    }
  }
  return { answer: viewOf(plane, call, value), objectId: value.id };
};

const asIs = { kind: "as-is" } as const;

/** It is there for its tenant. */
export function isVisible(item: ClusterItem): boolean {
  return item.wish === "open" && item.names.held !== undefined;
}

function isUnsettled({ names, logged }: ClusterItem): boolean {
  return !logged || names.wanted !== undefined || names.former !== undefined;
}

function change(
  plane: ControlPlane,
  call: { readonly organization: string; readonly params: { readonly id: string } },
  decide: (item: ClusterItem) => Change<ClusterItem>,
) {
  const { organization, params } = call;
  const key = { type: "cluster", organization, id: params.id } as const;
  return changeObject(plane, { kind: clusterKind, collection: clustersOf(organization), key, isUnsettled, decide });
}

function touched(plane: ControlPlane): { readonly updatedMs: number } {
  return { updatedMs: plane.clock.wallMs() };
}

function viewOf(plane: ControlPlane, call: Pick<Call, "baseUrl">, item: ClusterItem) {
  return clusterView(item, plane.fleet, call.baseUrl);
}

function nameTaken(pointer: string): Refusal {
  return refuse("conflict", "Another cluster of the environment has this name.", { pointer });
}

function creationRefused(item: ClusterItem): Refusal | undefined {
  if (item.refusal === "name-taken") return nameTaken("/spec/display_name");
  if (item.refusal === "environment-gone") {
    return refuse("not-found", "The environment was deleted.", { pointer: "/spec/environment/id" });
  }
  if (item.wish !== "open") return notFound;
  const detail = "It is not known yet whether the name is free: look whether the cluster is there in a moment.";
  return item.names.held === undefined ? refuse("unavailable", detail) : undefined;
}

function notOfferedHere(plane: ControlPlane, spec: BodyOf<Contract["createCluster"]>["spec"]): Refusal | undefined {
  const { cloud, region } = plane.fleet;
  if (spec.cloud !== undefined && spec.cloud.toLowerCase() !== cloud.toLowerCase()) {
    return refuse("not-offered", `This fleet is in ${cloud}.`, { pointer: "/spec/cloud" });
  }
  if (spec.region !== undefined && spec.region !== region) {
    return refuse("not-offered", `This fleet is in ${region}.`, { pointer: "/spec/region" });
  }
  return undefined;
}

async function placeCluster(plane: ControlPlane) {
  const view = { cells: plane.fleet.cells, loads: await plane.cellLoads.read(), nowMs: plane.clock.wallMs() };
  return place(view, () => plane.random.fraction());
}

async function hasEnvironment(plane: ControlPlane, organization: string, id: string): Promise<boolean> {
  const found = await plane.store.get(environmentKind, environmentsOf(organization), id);
  return found?.value.wish === "active" && found.value.names.held !== undefined;
}

async function defaultEnvironment(plane: ControlPlane, organization: string): Promise<string | undefined> {
  return (await plane.store.get(organizationKind, organizations, organization))?.value.defaultEnvironment;
}
