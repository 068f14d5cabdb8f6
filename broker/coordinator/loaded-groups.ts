import type { DecodedRecord } from "../../shared/kafka/records/record.ts";
import type { LogicalClusterId } from "../../shared/metadata/records/record.ts";
import { CoordinatedGroup, groupName } from "./coordinated-group.ts";
import { ClassicGroup } from "./group/classic-group.ts";
import type { GroupConfig, GroupValue } from "./group/group-contract.ts";
import { decodeGroupValue } from "./group/group-value.ts";
import { GroupOffsets } from "./offsets/group-offsets.ts";
import { CoordinatorRecordError, decodeKey } from "./records/coordinator-key.ts";
import { decodeOffsetValue } from "./records/offset-value.ts";

interface Loaded {
  readonly lkc: LogicalClusterId;
  readonly groupId: string;
  readonly offsets: GroupOffsets;
  value: GroupValue | undefined;
}

/** What the records of an internal partition come to, replayed in their order. */
export class LoadedGroups {
  readonly #groups = new Map<string, Loaded>();

  /** Throws a CoordinatorRecordError for a record that a newer version wrote, or that is damaged. */
  replay({ key: keyBytes, value }: DecodedRecord): void {
    if (keyBytes === null) throw new CoordinatorRecordError("a record without key");
    const key = decodeKey(keyBytes);
    const group = this.#group(key.lkc, key.groupId);
    if (key.kind === "group") {
      group.value = value === null ? undefined : decodeGroupValue(value);
    } else if (value === null) {
      group.offsets.delete(key.topicId, key.partition);
    } else {
      group.offsets.set(key.topicId, key.partition, decodeOffsetValue(value));
    }
  }

  /** The groups that are left, with fresh sessions for all members. */
  *finish(config: GroupConfig, nowMs: number): Generator<CoordinatedGroup> {
    for (const loaded of this.#groups.values()) {
      const { groupId, value, offsets } = loaded;
      if (value === undefined && offsets.count === 0) continue;
      const classic =
        value === undefined
          ? new ClassicGroup(groupId, config, nowMs)
          : ClassicGroup.restore(groupId, value, config, nowMs);
      const group = new CoordinatedGroup(loaded, classic, offsets);
      group.isStored = value !== undefined;
      if (value?.members.length === 0) group.emptySinceMs = value.stateTimestampMs;
      yield group;
    }
  }

  #group(lkc: LogicalClusterId, groupId: string): Loaded {
    const name = groupName(lkc, groupId);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { lkc, groupId, offsets: new GroupOffsets(), value: undefined };
      this.#groups.set(name, group);
    }
    return group;
  }
}
