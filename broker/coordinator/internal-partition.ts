/** Where the state of a group lives: a pure rule, the same on every broker and for ever. */
import { crc32c } from "../../shared/kafka/records/crc32c.ts";
import { offsetsTopicName } from "../../shared/metadata/commands/ensure-internal-topics.ts";
import type { MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import { internalLogicalCluster } from "../../shared/tenancy/logical-cluster-id.ts";
import { groupName } from "./coordinated-group.ts";
import type { GroupName } from "./group-requests.ts";

/** The topic of groups and their offsets; undefined until the first group is looked for. */
export function offsetsTopic(image: MetadataImage): TopicImage | undefined {
  return image.topicsOf(internalLogicalCluster)?.get(offsetsTopicName);
}

/** The number of the group's partition. CRC-32C spreads names that differ in their last character only, too. */
export function groupPartition({ lkc, groupId }: GroupName, partitionCount: number): number {
  return crc32c(Buffer.from(groupName(lkc, groupId))) % partitionCount;
}
