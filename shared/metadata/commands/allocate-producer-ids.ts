/** Gives a broker a block of producer ids that nobody else in the fleet ever had. */
import type { MetadataImage } from "../image/metadata-image.ts";
import type { BrokerId } from "../records/record.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { cellNumberMax, producerIdBlock, producerIdsPerCell } from "./limits.ts";

export interface AllocateProducerIdsCommand {
  readonly kind: "allocate-producer-ids";
  readonly brokerId: BrokerId;
}

export type AllocateProducerIdsReply =
  | {
      readonly kind: "allocated" /** The ids [first, first + count). */;
      readonly first: number;
      readonly count: number;
    }
  | CommandError;

export function decideAllocateProducerIds(
  image: MetadataImage,
  command: AllocateProducerIdsCommand,
  context: CommandContext,
): Decision<AllocateProducerIdsReply> {
  const { brokerId } = command;
  if (!image.brokers.has(brokerId)) {
    return { records: [], reply: refused("BROKER_ID_NOT_REGISTERED", `Broker ${brokerId} is not registered.`) };
  }
  if (context.cellNumber < 0 || context.cellNumber > cellNumberMax) {
    throw new Error(`cell number ${context.cellNumber} is not within 0 and ${cellNumberMax}`);
  }
  const lowest = context.cellNumber * producerIdsPerCell;
  const first = Math.max(image.nextProducerId, lowest);
  const count = producerIdBlock;
  if (first + count > lowest + producerIdsPerCell) {
    return { records: [], reply: refused("UNKNOWN_SERVER_ERROR", "The cell has no producer ids left.") };
  }
  return {
    records: [{ type: "producer-ids-allocated", brokerId, first, count }],
    reply: { kind: "allocated", first, count },
  };
}
