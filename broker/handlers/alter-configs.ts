/**
 * AlterConfigs, v0 to v2.
 *
 * Replaces all overrides of each of the tenant's topics: what is not named returns to its default. Broker configurations
 * belong to the cell (CLUSTER_AUTHORIZATION_FAILED). Older clients use this; newer ones IncrementalAlterConfigs.
 */
import { type AlterConfigsRequest, alterConfigs } from "../../shared/kafka/schema/alter-configs.ts";
import type { ConfigResource } from "../../shared/metadata/commands/alter-configs.ts";
import type { Overrides } from "../../shared/metadata/configs/effective-config.ts";
import { submitChange } from "./context/admin-change.ts";
import { answerResources, changeableResource, isRefusal, type ResourceRefusal } from "./context/config-resources.ts";
import type { Handler } from "./context/handler.ts";
import { configChangeWaitMs, decodedBytes } from "./limits.ts";

interface Wish {
  readonly resource: ConfigResource;
  readonly configs: Overrides;
}

export const alterConfigsHandler: Handler<typeof alterConfigs> = {
  api: alterConfigs,
  minVersion: alterConfigs.versions.min,
  maxVersion: alterConfigs.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, { resources: asked, validateOnly }) {
    const wishes = asked.map(wishOf);
    const resources = wishes.flatMap((wish) => (isRefusal(wish) ? [] : [wish]));
    const { lkc } = context.session.tenant;
    const outcome =
      resources.length === 0 || lkc === undefined
        ? ({ kind: "done", reply: { resources: [] } } as const)
        : await submitChange(context, { kind: "alter-configs", lkc, resources, validateOnly }, configChangeWaitMs);
    return { responses: answerResources(asked, wishes, outcome) };
  },
};

function wishOf(asked: AlterConfigsRequest["resources"][number]): Wish | ResourceRefusal {
  const resource = changeableResource(asked);
  if (isRefusal(resource)) return resource;
  const configs: Record<string, string> = {};
  for (const { name, value } of asked.configs) {
    if (value === null) return { kind: "refused", error: "INVALID_REQUEST", message: `Null value for ${name}.` };
    configs[name] = value;
  }
  return { resource, configs };
}
