import type { Stored } from "../../../shared/control/control-kind.ts";
import { ControlUnavailableError } from "../../../shared/control/control-store.ts";
import type { WorkItem } from "../../../shared/control/items/work-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settleApiKey } from "./settle-api-key.ts";
import { settleCluster } from "./settle-cluster.ts";
import { settleEnvironment } from "./settle-environment.ts";
import { settleServiceAccount } from "./settle-service-account.ts";
import { endWork, type ObjectKey, type Settled } from "./work.ts";

/** Brings an object to what its item asks for. */
export function settle(plane: ControlPlane, { type, organization, id }: ObjectKey): Promise<Settled> {
  switch (type) {
    case "cluster":
      return settleCluster(plane, organization, id);
    case "environment":
      return settleEnvironment(plane, organization, id);
    case "service-account":
      return settleServiceAccount(plane, organization, id);
    case "api-key":
      return settleApiKey(plane, organization, id);
  }
}

/** Settles an object that was marked, and takes the mark away. */
export async function settleMarked(plane: ControlPlane, mark: Stored<WorkItem>): Promise<Settled> {
  const settled = await settle(plane, mark.value);
  await endWork(plane, mark, settled);
  return settled;
}

/**
 * The same, for a caller to whom it is enough that it will be settled: when the table or the log does not answer, the
 * mark stays and the reconciler goes on.
 */
export async function settleSoon(plane: ControlPlane, mark: Stored<WorkItem>): Promise<void> {
  try {
    await settleMarked(plane, mark);
  } catch (error) {
    if (!(error instanceof ControlUnavailableError)) throw error;
  }
}
