/** Brokers: ids, registration at every start, removal. */
import type { MetadataImage } from "../image/metadata-image.ts";
import { featureLevelBase } from "../records/limits.ts";
import type { BrokerId, BrokerRegistered, Endpoint, MetadataRecord, PartitionState } from "../records/record.ts";
import { splitRecords } from "../records/split-records.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { brokerIdMax } from "./limits.ts";

/** A broker's start: binds its id to its data, and says where it is reached. */
export interface RegisterBrokerCommand {
  readonly kind: "register-broker";
  /** Undefined: the cell gives it a new one, above all that it knows. */
  readonly brokerId?: BrokerId;
  /** Written in the data directory when it was made. */
  readonly storageId: string;
  /** New at every start of the process. */
  readonly incarnationId: string;
  readonly zone: string;
  readonly peer: Endpoint;
  readonly listeners: Readonly<Record<string, Endpoint>>;
  readonly featureLevelMax: number;
  /** Its data may not have survived: it becomes `lost` wherever it votes. */
  readonly suspect: boolean;
}

export type RegisterBrokerReply =
  | { readonly kind: "registered"; readonly brokerId: BrokerId }
  /** Partitions were marked lost, and there are more than one entry holds: send the same command again. */
  | { readonly kind: "continue"; readonly brokerId: BrokerId }
  /** The id belongs to other data. A broker whose own data is gone must ask for a new id. */
  | { readonly kind: "id-taken"; readonly brokerId: BrokerId }
  | CommandError;

/** A broker that comes back no more: its tasks are over and no partition names it. */
export interface UnregisterBrokerCommand {
  readonly kind: "unregister-broker";
  readonly brokerId: BrokerId;
}

export type UnregisterBrokerReply =
  | { readonly kind: "unregistered" /** False: it was not registered. */; readonly changed: boolean }
  /** Partitions still name it as a replica; move them first. */
  | { readonly kind: "in-use"; readonly partitions: number }
  | CommandError;

export function decideRegisterBroker(
  image: MetadataImage,
  command: RegisterBrokerCommand,
): Decision<RegisterBrokerReply> {
  const fault = registrationFault(image, command);
  if (fault !== undefined) {
    return { records: [], reply: fault };
  }
  const brokerId = command.brokerId ?? idOfStorage(image, command.storageId) ?? image.nextBrokerId;
  const present = image.brokers.get(brokerId);
  // An id is never used for other data, not even when its broker is gone: a deposed leader may still count on it.
  const spent = image.retiredBrokerIds.has(brokerId);
  if (spent || (present !== undefined && present.storageId !== command.storageId)) {
    return { records: [], reply: { kind: "id-taken", brokerId } };
  }
  // Once for each start: the same command sent again must not mark what was promoted since.
  const again = present?.incarnationId === command.incarnationId;
  const registered = registration(command, brokerId);
  if (!command.suspect || again) {
    return { records: [registered], reply: { kind: "registered", brokerId } };
  }
  const [whole = [], ...rest] = splitRecords([...markLost(image, brokerId, true), registered], image.featureLevel);
  if (rest.length === 0) {
    return { records: whole, reply: { kind: "registered", brokerId } };
  }
  // In steps, with the registration last. Only what is not lost yet is marked then, or the steps would never end.
  const steps = splitRecords([...markLost(image, brokerId, false), registered], image.featureLevel);
  return { records: steps[0] ?? [], reply: { kind: steps.length > 1 ? "continue" : "registered", brokerId } };
}

function registrationFault(image: MetadataImage, command: RegisterBrokerCommand): CommandError | undefined {
  const { brokerId, featureLevelMax } = command;
  if (brokerId !== undefined && !(Number.isInteger(brokerId) && brokerId >= 0 && brokerId <= brokerIdMax)) {
    return refused("INVALID_REQUEST", `Broker id ${brokerId} is not valid.`);
  }
  if (featureLevelMax < Math.max(image.featureLevel, featureLevelBase)) {
    return refused("UNSUPPORTED_VERSION", `The log is at feature level ${image.featureLevel}; this broker is too old.`);
  }
  return command.storageId === "" || command.incarnationId === ""
    ? refused("INVALID_REQUEST", "A broker needs a storage id and an incarnation id.")
    : undefined;
}

function registration(command: RegisterBrokerCommand, brokerId: BrokerId): BrokerRegistered {
  const { storageId, incarnationId, zone, peer, listeners, featureLevelMax, suspect } = command;
  return {
    type: "broker-registered",
    brokerId,
    storageId,
    incarnationId,
    zone,
    peer,
    listeners,
    featureLevelMax,
    suspect,
  };
}

/** A registration whose answer got lost is not given a second id. */
function idOfStorage(image: MetadataImage, storageId: string): BrokerId | undefined {
  return [...image.brokers.values()].find((broker) => broker.storageId === storageId)?.brokerId;
}

/**
 * The broker neither commits, seals nor stands for election in what it votes in, until a record promotes it. Where it was
 * lost already, it lost its data once more: with `onceMore`, a new record voids what its leader may have reported of it.
 */
function markLost(image: MetadataImage, brokerId: BrokerId, onceMore: boolean): readonly MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const topic of image.topics.values()) {
    const concerned = topic.partitions.filter(
      (state) => votesIn(state, brokerId) && (onceMore || !state.lost.includes(brokerId)),
    );
    const partitions = concerned.map((state) => ({
      ...state,
      partitionEpoch: state.partitionEpoch + 1,
      lost: state.lost.includes(brokerId) ? state.lost : [...state.lost, brokerId],
    }));
    if (partitions.length > 0) {
      records.push({ type: "partitions-upserted", topicId: topic.topicId, partitions });
    }
  }
  return records;
}

function votesIn(state: PartitionState, brokerId: BrokerId): boolean {
  return state.voters.includes(brokerId) || state.outgoing.includes(brokerId);
}

export function decideUnregisterBroker(
  image: MetadataImage,
  command: UnregisterBrokerCommand,
): Decision<UnregisterBrokerReply> {
  const { brokerId } = command;
  if (!image.brokers.has(brokerId)) {
    return { records: [], reply: { kind: "unregistered", changed: false } };
  }
  let named = 0;
  for (const topic of image.topics.values()) {
    for (const state of topic.partitions) {
      named += votesIn(state, brokerId) || state.learners.includes(brokerId) ? 1 : 0;
    }
  }
  if (named > 0) {
    return { records: [], reply: { kind: "in-use", partitions: named } };
  }
  const record: MetadataRecord = { type: "broker-unregistered", brokerId };
  return { records: [record], reply: { kind: "unregistered", changed: true } };
}
