import type { TopicId } from "../../shared/metadata/records/record.ts";
import type { Offset, PartitionLogContract } from "../log/log-contract.ts";
import type { PartitionSettings } from "./partition-settings.ts";

/** Where the logs of a broker's replicas are kept. */
export interface LogDirectory {
  /** Monotonic time since when a disk that does not keep up has ended no write; undefined when it keeps up. */
  readonly standsStillSinceMs: number | undefined;
  /** `writtenOffset`: how far it was written, when it failed in this process; rejects when less is left. */
  open(
    topicId: TopicId,
    partition: number,
    settings: PartitionSettings,
    writtenOffset?: Offset,
  ): Promise<PartitionLogContract>;
  /** All replicas that have files: what the image does not know any more is deleted. */
  list(): Promise<readonly { readonly topicId: TopicId; readonly partition: number }[]>;
  remove(topicId: TopicId, partition: number): Promise<void>;
}
