import type { CommandContext } from "../../../../../shared/metadata/commands/command-context.ts";
import type { Decision } from "../../../../../shared/metadata/commands/decision.ts";
import { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import { violation } from "../../../../../shared/metadata/image/invariants.ts";
import { replayUnnumbered } from "../../../../../shared/metadata/image/replay.ts";
import type { BrokerRegistered } from "../../../../../shared/metadata/records/record.ts";

export const lkc = "lkc-first";

export function broker(brokerId: number, zone: string): BrokerRegistered {
  const endpoint = { host: `b${brokerId}`, port: 9092 };
  return {
    type: "broker-registered",
    brokerId,
    storageId: `storage-${brokerId}`,
    incarnationId: `start-${brokerId}`,
    zone,
    peer: endpoint,
    listeners: { plain: endpoint },
    featureLevelMax: 1,
    suspect: false,
  };
}

/** A cell of so many brokers spread over three zones, with one logical cluster. */
export function cellImage(brokers = 3): ImageState {
  const state = ImageState.empty("cell-1");
  replayUnnumbered(state, [
    ...Array.from({ length: brokers }, (_, index) => broker(index + 1, "abc".charAt(index % 3))),
    { type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 },
  ]);
  return state;
}

export function contextOf(image: ImageState, change: Partial<CommandContext> = {}): CommandContext {
  let ids = image.topics.size;
  return {
    aliveBrokers: [...image.brokers.keys()],
    wallMs: 1_790_000_000_000,
    cellNumber: 1,
    randomId: () => (++ids).toString(16).padStart(32, "0"),
    ...change,
  };
}

/** Writes what was decided, as the log would: every record must be one that may be written. */
export function apply<Reply>(image: ImageState, decision: Decision<Reply>): Reply {
  for (const record of decision.records) {
    const why = violation(image, record);
    if (why !== undefined) {
      throw new Error(why);
    }
    replayUnnumbered(image, [record]);
  }
  return decision.reply;
}
