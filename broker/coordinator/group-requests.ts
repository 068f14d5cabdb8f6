/** What coordinators are asked and answer, beside what `group/group-contract.ts` has. */
import type { ErrorName } from "../../shared/kafka/error-codes.ts";
import type { LogicalClusterId, TopicId } from "../../shared/metadata/records/record.ts";
import type { GroupDescription } from "./group/group-contract.ts";
import type { CommittedOffset } from "./offsets/group-offsets.ts";
import type { OffsetValue } from "./records/offset-value.ts";

/** A group as a client names it, in the logical cluster to which its connection is bound. */
export interface GroupName {
  readonly lkc: LogicalClusterId;
  readonly groupId: string;
}

export interface CommitInput {
  readonly memberId: string;
  /** -1 with an empty member id: a simple consumer, which is in no group. */
  readonly generationId: number;
  readonly groupInstanceId: string | null;
  /** Of topics that are there. */
  readonly offsets: readonly CommittedOffset[];
}

/** What a group has committed, as it is looked up: undefined where it has committed nothing. */
export interface OffsetLookup {
  get(topicId: TopicId, partition: number): OffsetValue | undefined;
  topicIds(): Iterable<TopicId>;
  ofTopic(topicId: TopicId): ReadonlyMap<number, OffsetValue>;
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly state: string;
}

export interface TopicPartitionName {
  readonly topicName: string;
  readonly topicId: TopicId;
  readonly partition: number;
}

export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: ErrorName };

export type DescribeOutcome = Outcome<GroupDescription>;

export function failed(error: ErrorName): { readonly kind: "failed"; readonly error: ErrorName } {
  return { kind: "failed", error };
}

export function done<T>(value: T): { readonly kind: "done"; readonly value: T } {
  return { kind: "done", value };
}
