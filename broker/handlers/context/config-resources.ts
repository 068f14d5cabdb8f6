import { type ErrorName, errorCode } from "../../../shared/kafka/error-codes.ts";
import { configResourceTypes } from "../../../shared/kafka/schema/describe-configs.ts";
import type { AlteredResource, ConfigResource } from "../../../shared/metadata/commands/alter-configs.ts";
import type { ChangeOutcome } from "./admin-change.ts";

/** A resource of AlterConfigs or IncrementalAlterConfigs, as the client names it. */
export interface NamedResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

export interface ResourceRefusal {
  readonly kind: "refused";
  readonly error: ErrorName;
  readonly message: string;
}

export interface ResourceAnswer extends NamedResource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** What a tenant may change: its topics. The cell's configurations are the operator's. */
export function changeableResource({ resourceType, resourceName }: NamedResource): ConfigResource | ResourceRefusal {
  switch (resourceType) {
    case configResourceTypes.topic:
      return { type: "topic", name: resourceName };
    case configResourceTypes.broker:
    case configResourceTypes.brokerLogger:
      return {
        kind: "refused",
        error: "CLUSTER_AUTHORIZATION_FAILED",
        message: "Broker configurations belong to the cell and are changed by its operator.",
      };
    default:
      return { kind: "refused", error: "INVALID_REQUEST", message: `Resources of type ${resourceType} have none.` };
  }
}

/** Puts the answers of those that were changed and the refusals of the others in the order of the request. */
export function answerResources(
  asked: readonly NamedResource[],
  wishes: readonly (object | ResourceRefusal)[],
  outcome:
    | ChangeOutcome<never>
    | { readonly kind: "done"; readonly reply: { readonly resources: readonly AlteredResource[] } },
): ResourceAnswer[] {
  let next = 0;
  return asked.map(({ resourceType, resourceName }, index) => {
    const answer = (error: ErrorName, errorMessage: string | null): ResourceAnswer => ({
      resourceType,
      resourceName,
      errorCode: errorCode[error],
      errorMessage,
    });
    const wish = wishes[index];
    if (wish !== undefined && isRefusal(wish)) return answer(wish.error, wish.message);
    if (outcome.kind === "failed") return answer(outcome.error, outcome.message);
    const altered = outcome.reply.resources[next];
    next += 1;
    if (altered === undefined) return answer("UNKNOWN_SERVER_ERROR", null);
    return altered.kind === "failed" ? answer(altered.error, altered.message) : answer("NONE", null);
  });
}

export function isRefusal(wish: object): wish is ResourceRefusal {
  return "kind" in wish && wish.kind === "refused";
}
