/** API keys: made with a verifier that the caller computed (the secret itself never comes here), and deleted. */
import { internalLogicalCluster } from "../../tenancy/logical-cluster-id.ts";
import type { MetadataImage } from "../image/metadata-image.ts";
import type { LogicalClusterId } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { nameCharactersMax } from "./limits.ts";

export interface CreateApiKeyCommand {
  readonly kind: "create-api-key";
  readonly lkc: LogicalClusterId;
  /** Made by the caller at random; public. */
  readonly keyId: string;
  /** Who it authenticates, as in Kafka ACLs: `User:alice`. */
  readonly principal: string;
  /** What `verifierOf` in `shared/access/api-key-secret.ts` made of the secret. */
  readonly verifier: string;
}

export interface DeleteApiKeyCommand {
  readonly kind: "delete-api-key";
  readonly lkc: LogicalClusterId;
  readonly keyId: string;
}

export type ApiKeyReply =
  | { readonly kind: "done"; readonly keyId: string /** False: nothing had to change. */; readonly changed: boolean }
  | CommandError;

export function decideCreateApiKey(
  image: MetadataImage,
  command: CreateApiKeyCommand,
  context: CommandContext,
): Decision<ApiKeyReply> {
  const { lkc, keyId, principal, verifier } = command;
  const present = image.apiKeys.get(keyId);
  if (present !== undefined) {
    // The same command again, after an answer that got lost, is no error.
    const same = present.lkc === lkc && present.verifier === verifier;
    const reply: ApiKeyReply = same
      ? { kind: "done", keyId, changed: false }
      : refused("DUPLICATE_RESOURCE", `Key ${keyId} exists already.`);
    return { records: [], reply };
  }
  const cluster = image.logicalClusters.get(lkc);
  if (lkc === internalLogicalCluster || cluster === undefined || cluster.closedMs !== undefined) {
    return { records: [], reply: refused("RESOURCE_NOT_FOUND", `${lkc} does not exist.`) };
  }
  if (!isName(keyId) || !isName(principal) || verifier === "") {
    return { records: [], reply: refused("INVALID_REQUEST", "Key id, principal or verifier is not valid.") };
  }
  return {
    records: [{ type: "api-key-upserted", keyId, lkc, principal, verifier, createdMs: context.wallMs }],
    reply: { kind: "done", keyId, changed: true },
  };
}

export function decideDeleteApiKey(image: MetadataImage, command: DeleteApiKeyCommand): Decision<ApiKeyReply> {
  const { lkc, keyId } = command;
  if (image.apiKeys.get(keyId)?.lkc !== lkc) {
    return { records: [], reply: { kind: "done", keyId, changed: false } };
  }
  return { records: [{ type: "api-key-deleted", keyId }], reply: { kind: "done", keyId, changed: true } };
}

function isName(text: string): boolean {
  return text.length > 0 && text.length <= nameCharactersMax;
}
