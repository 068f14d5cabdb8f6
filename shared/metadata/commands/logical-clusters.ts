/** Logical clusters: made, ensured and deleted. */
import { internalLogicalCluster, isLogicalClusterId } from "../../tenancy/logical-cluster-id.ts";
import type { MetadataImage } from "../image/metadata-image.ts";
import type { LogicalClusterId } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { nameCharactersMax } from "./limits.ts";

/** Makes a logical cluster; refused when the id is taken. The caller made the id (`formatLogicalClusterId`). */
export interface CreateLogicalClusterCommand {
  readonly kind: "create-logical-cluster";
  readonly lkc: LogicalClusterId;
  readonly name: string;
}

/** Makes a logical cluster unless it is there already: for those that a cell starts with. */
export interface EnsureLogicalClusterCommand {
  readonly kind: "ensure-logical-cluster";
  readonly lkc: LogicalClusterId;
  readonly name: string;
}

/** Deletes a logical cluster with its topics and API keys. */
export interface DeleteLogicalClusterCommand {
  readonly kind: "delete-logical-cluster";
  readonly lkc: LogicalClusterId;
}

export type LogicalClusterReply =
  | {
      readonly kind: "done";
      readonly lkc: LogicalClusterId /** False: nothing had to change. */;
      readonly changed: boolean;
    }
  | CommandError;

export function decideCreateLogicalCluster(
  image: MetadataImage,
  command: CreateLogicalClusterCommand,
  context: CommandContext,
): Decision<LogicalClusterReply> {
  if (image.logicalClusters.has(command.lkc)) {
    return { records: [], reply: refused("DUPLICATE_RESOURCE", `${command.lkc} exists already.`) };
  }
  return create(command, context);
}

export function decideEnsureLogicalCluster(
  image: MetadataImage,
  command: EnsureLogicalClusterCommand,
  context: CommandContext,
): Decision<LogicalClusterReply> {
  if (image.logicalClusters.has(command.lkc)) {
    return { records: [], reply: { kind: "done", lkc: command.lkc, changed: false } };
  }
  return create(command, context);
}

export function decideDeleteLogicalCluster(
  image: MetadataImage,
  command: DeleteLogicalClusterCommand,
): Decision<LogicalClusterReply> {
  const { lkc } = command;
  if (lkc === internalLogicalCluster) {
    return { records: [], reply: refused("INVALID_REQUEST", "The internal logical cluster cannot be deleted.") };
  }
  if (!image.logicalClusters.has(lkc)) {
    return { records: [], reply: { kind: "done", lkc, changed: false } };
  }
  return { records: [{ type: "logical-cluster-deleted", lkc }], reply: { kind: "done", lkc, changed: true } };
}

function create(
  command: { readonly lkc: LogicalClusterId; readonly name: string },
  context: CommandContext,
): Decision<LogicalClusterReply> {
  const { lkc, name } = command;
  if (!isLogicalClusterId(lkc)) {
    return { records: [], reply: refused("INVALID_REQUEST", `${lkc} is not a logical cluster's id.`) };
  }
  if (name.length > nameCharactersMax) {
    const message = `A logical cluster's name has ${nameCharactersMax} characters at most, not ${name.length}.`;
    return { records: [], reply: refused("INVALID_REQUEST", message) };
  }
  return {
    records: [{ type: "logical-cluster-upserted", lkc, name, createdMs: context.wallMs }],
    reply: { kind: "done", lkc, changed: true },
  };
}
