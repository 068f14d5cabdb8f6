import { audit, auditKind } from "../../../shared/control/items/audit-item.ts";
import { cellLoadKind, cellLoads } from "../../../shared/control/items/cell-load-item.ts";
import type { Handler } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import { listPage } from "../lists.ts";
import { auditEntryView } from "../views.ts";

export const listAuditEntries: Handler<Contract["listAuditEntries"]> = async (plane, call) => {
  const page = await listPage(plane, {
    kind: auditKind,
    collection: audit,
    query: call.query,
    url: call.url,
    baseUrl: call.baseUrl,
    shows: () => true,
    view: auditEntryView,
  });
  return "problems" in page ? page : { answer: { api_version: "balafon/v1", kind: "AuditEntryList", ...page } };
};

export const listCells: Handler<Contract["listCells"]> = async (plane, call) => {
  const data = await Promise.all(
    plane.fleet.cells.map(async ({ cell, state }) => {
      const load = (await plane.store.get(cellLoadKind, cellLoads, cell))?.value;
      if (load === undefined) return { id: cell, state };
      return {
        id: cell,
        state,
        load: {
          at: new Date(load.atMs).toISOString(),
          mean_broker_load: load.meanBrokerLoad,
          replica_utilization: load.replicaUtilization,
          bandwidth_utilization: load.bandwidthUtilization,
        },
      };
    }),
  );
  const metadata = { first: `${call.baseUrl}${call.url.pathname}`, total_size: data.length };
  return { answer: { api_version: "balafon/v1", kind: "CellList", metadata, data } };
};
