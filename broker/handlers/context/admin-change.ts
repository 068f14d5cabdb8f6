import type { ErrorName } from "../../../shared/kafka/error-codes.ts";
import type { MetadataCommand, ReplyTo } from "../../../shared/metadata/commands/metadata-command.ts";
import { adminWaitMsMax, adminWaitMsMin } from "../limits.ts";
import type { RequestContext } from "./handler.ts";
import { submitErrorName } from "./kafka-errors.ts";

export type ChangeOutcome<C extends MetadataCommand> =
  | { readonly kind: "done"; readonly reply: ReplyTo<C> }
  | { readonly kind: "failed"; readonly error: ErrorName; readonly message: string };

const failureMessages = {
  "no-controller": "No controller could be asked in time; nothing was changed.",
  unknown: "The change was not confirmed in time; it may have been made.",
} as const;

/** Has the controller make a change for a client that waits for at most so long. */
export async function submitChange<C extends MetadataCommand>(
  { services }: RequestContext,
  command: C,
  timeoutMs: number,
): Promise<ChangeOutcome<C>> {
  const result = await services.submit(command, Math.min(Math.max(timeoutMs, adminWaitMsMin), adminWaitMsMax));
  if (result.kind === "done") return { kind: "done", reply: result.reply };
  return { kind: "failed", error: submitErrorName(result.kind), message: failureMessages[result.kind] };
}
