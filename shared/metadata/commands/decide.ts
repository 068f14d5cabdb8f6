import type { MetadataImage } from "../image/metadata-image.ts";
import { decideAllocateProducerIds } from "./allocate-producer-ids.ts";
import { decideAlterConfigs, decideIncrementalAlterConfigs, decideSetCellConfigs } from "./alter-configs.ts";
import { decideCreateApiKey, decideDeleteApiKey } from "./api-keys.ts";
import { decideRegisterBroker, decideUnregisterBroker } from "./brokers.ts";
import type { CommandContext } from "./command-context.ts";
import { decideCreatePartitions } from "./create-partitions.ts";
import { decideCreateTopics } from "./create-topics.ts";
import type { Decision } from "./decision.ts";
import { decideDeleteTopics } from "./delete-topics.ts";
import { decideEnsureInternalTopics } from "./ensure-internal-topics.ts";
import {
  decideCreateLogicalCluster,
  decideDeleteLogicalCluster,
  decideEnsureLogicalCluster,
} from "./logical-clusters.ts";
import type { CommandReplies, MetadataCommand, ReplyTo } from "./metadata-command.ts";

/** What a command does to this image: pure, so that it can be made again whenever another writer was first. */
export function decide<C extends MetadataCommand>(
  image: MetadataImage,
  command: C,
  context: CommandContext,
): Decision<ReplyTo<C>> {
  // Each case returns the reply of its own kind (checked in `decideAny`); only the link to the type of C is lost there.
  return decideAny(image, command, context) as Decision<ReplyTo<C>>;
}

function decideAny(
  image: MetadataImage,
  command: MetadataCommand,
  context: CommandContext,
): Decision<CommandReplies[MetadataCommand["kind"]]> {
  switch (command.kind) {
    case "allocate-producer-ids":
      return decideAllocateProducerIds(image, command, context);
    case "alter-configs":
      return decideAlterConfigs(image, command);
    case "create-api-key":
      return decideCreateApiKey(image, command, context);
    case "create-logical-cluster":
      return decideCreateLogicalCluster(image, command, context);
    case "create-partitions":
      return decideCreatePartitions(image, command, context);
    case "create-topics":
      return decideCreateTopics(image, command, context);
    case "delete-api-key":
      return decideDeleteApiKey(image, command);
    case "delete-logical-cluster":
      return decideDeleteLogicalCluster(image, command);
    case "delete-topics":
      return decideDeleteTopics(image, command);
    case "ensure-internal-topics":
      return decideEnsureInternalTopics(image, command, context);
    case "ensure-logical-cluster":
      return decideEnsureLogicalCluster(image, command, context);
    case "incremental-alter-configs":
      return decideIncrementalAlterConfigs(image, command);
    case "register-broker":
      return decideRegisterBroker(image, command);
    case "set-cell-configs":
      return decideSetCellConfigs(image, command);
    case "unregister-broker":
      return decideUnregisterBroker(image, command);
  }
}
