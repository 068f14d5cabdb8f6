import type { AllocateProducerIdsCommand, AllocateProducerIdsReply } from "./allocate-producer-ids.ts";
import type {
  AlterConfigsCommand,
  AlterConfigsReply,
  IncrementalAlterConfigsCommand,
  SetCellConfigsCommand,
  SetCellConfigsReply,
} from "./alter-configs.ts";
import type { ApiKeyReply, CreateApiKeyCommand, DeleteApiKeyCommand } from "./api-keys.ts";
import type {
  RegisterBrokerCommand,
  RegisterBrokerReply,
  UnregisterBrokerCommand,
  UnregisterBrokerReply,
} from "./brokers.ts";
import type { CreatePartitionsCommand, CreatePartitionsReply } from "./create-partitions.ts";
import type { CreateTopicsCommand, CreateTopicsReply } from "./create-topics.ts";
import type { DeleteTopicsCommand, DeleteTopicsReply } from "./delete-topics.ts";
import type { EnsureInternalTopicsCommand, EnsureInternalTopicsReply } from "./ensure-internal-topics.ts";
import type {
  CreateLogicalClusterCommand,
  DeleteLogicalClusterCommand,
  EnsureLogicalClusterCommand,
  LogicalClusterReply,
} from "./logical-clusters.ts";

/** Everything that somebody may ask of a cell's metadata. JSON values: brokers forward them to the controller. */
export type MetadataCommand =
  | AllocateProducerIdsCommand
  | AlterConfigsCommand
  | CreateApiKeyCommand
  | CreateLogicalClusterCommand
  | CreatePartitionsCommand
  | CreateTopicsCommand
  | DeleteApiKeyCommand
  | DeleteLogicalClusterCommand
  | DeleteTopicsCommand
  | EnsureInternalTopicsCommand
  | EnsureLogicalClusterCommand
  | IncrementalAlterConfigsCommand
  | RegisterBrokerCommand
  | SetCellConfigsCommand
  | UnregisterBrokerCommand;

/** What each command is answered with; JSON values as well. */
export interface CommandReplies {
  readonly "allocate-producer-ids": AllocateProducerIdsReply;
  readonly "alter-configs": AlterConfigsReply;
  readonly "create-api-key": ApiKeyReply;
  readonly "create-logical-cluster": LogicalClusterReply;
  readonly "create-partitions": CreatePartitionsReply;
  readonly "create-topics": CreateTopicsReply;
  readonly "delete-api-key": ApiKeyReply;
  readonly "delete-logical-cluster": LogicalClusterReply;
  readonly "delete-topics": DeleteTopicsReply;
  readonly "ensure-internal-topics": EnsureInternalTopicsReply;
  readonly "ensure-logical-cluster": LogicalClusterReply;
  readonly "incremental-alter-configs": AlterConfigsReply;
  readonly "register-broker": RegisterBrokerReply;
  readonly "set-cell-configs": SetCellConfigsReply;
  readonly "unregister-broker": UnregisterBrokerReply;
}

export type ReplyTo<C extends MetadataCommand> = CommandReplies[C["kind"]];
