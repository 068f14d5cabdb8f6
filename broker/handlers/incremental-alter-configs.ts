/**
 * IncrementalAlterConfigs, v0 and v1 (KIP-339).
 *
 * Changes single overrides of the tenant's topics: set, delete, and append or subtract for lists. Broker configurations
 * belong to the cell (CLUSTER_AUTHORIZATION_FAILED).
 */
import {
  configOperations,
  type IncrementalAlterConfigsRequest,
  incrementalAlterConfigs,
} from "../../shared/kafka/schema/incremental-alter-configs.ts";
import type { ConfigChange, ConfigResource } from "../../shared/metadata/commands/alter-configs.ts";
import { submitChange } from "./context/admin-change.ts";
import { answerResources, changeableResource, isRefusal, type ResourceRefusal } from "./context/config-resources.ts";
import type { Handler } from "./context/handler.ts";
import { configChangeWaitMs, decodedBytes } from "./limits.ts";

type Asked = IncrementalAlterConfigsRequest["resources"][number];

interface Wish {
  readonly resource: ConfigResource;
  readonly changes: readonly ConfigChange[];
}

export const incrementalAlterConfigsHandler: Handler<typeof incrementalAlterConfigs> = {
  api: incrementalAlterConfigs,
  minVersion: incrementalAlterConfigs.versions.min,
  maxVersion: incrementalAlterConfigs.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, { resources: asked, validateOnly }) {
    const wishes = asked.map(wishOf);
    const resources = wishes.flatMap((wish) => (isRefusal(wish) ? [] : [wish]));
    const { lkc } = context.session.tenant;
    const command = { kind: "incremental-alter-configs", resources, validateOnly } as const;
    const outcome =
      resources.length === 0 || lkc === undefined
        ? ({ kind: "done", reply: { resources: [] } } as const)
        : await submitChange(context, { ...command, lkc }, configChangeWaitMs);
    return { responses: answerResources(asked, wishes, outcome) };
  },
};

function wishOf(asked: Asked): Wish | ResourceRefusal {
  const resource = changeableResource(asked);
  if (isRefusal(resource)) return resource;
  const changes: ConfigChange[] = [];
  for (const config of asked.configs) {
    const change = changeOf(config);
    if (isRefusal(change)) return change;
    changes.push(change);
  }
  return { resource, changes };
}

function changeOf({ name, configOperation, value }: Asked["configs"][number]): ConfigChange | ResourceRefusal {
  if (configOperation === configOperations.delete) return { op: "delete", name };
  if (value === null) return { kind: "refused", error: "INVALID_REQUEST", message: `Null value for ${name}.` };
  switch (configOperation) {
    case configOperations.set:
      return { op: "set", name, value };
    case configOperations.append:
      return { op: "append", name, value };
    case configOperations.subtract:
      return { op: "subtract", name, value };
    default:
      return { kind: "refused", error: "INVALID_REQUEST", message: `Unknown operation ${configOperation}.` };
  }
}
