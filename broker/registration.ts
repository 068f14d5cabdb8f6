import { decideRegisterBroker } from "../shared/metadata/commands/brokers.ts";
import { featureLevelMax } from "../shared/metadata/records/limits.ts";
import type { BrokerId, Endpoint } from "../shared/metadata/records/record.ts";
import type { Random } from "../shared/ports/random.ts";
import type { Timers } from "../shared/ports/timers.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import type { MetadataAccess } from "./controller/metadata-access.ts";
import type { Identity, IdentityStore, OpenedIdentity } from "./identity.ts";
import { startRetryMs } from "./limits.ts";

export interface RegistrationOptions {
  readonly cell: string;
  readonly zone: string;
  readonly peer: Endpoint;
  readonly listeners: Readonly<Record<string, Endpoint>>;
  readonly incarnationId: string;
  /** A suspect data directory keeps its id (the cell may recover from it); else it starts anew under another one. */
  readonly recoverWithoutMajority: boolean;
  readonly ports: { readonly timers: Timers; readonly random: Random; readonly logger: Logger };
  isStopped(): boolean;
  /** Forgets what replicas promised and accepted: that was said under an id which this data gives up. */
  forgetReplicas(): Promise<void>;
}

/**
 * Writes the broker into the metadata log, under the id of its data if that data can be trusted (DESIGN section 5,
 * Survival). Tries until the store answers. A suspect directory that may not keep its id gets a new one, and so does one
 * whose id is bound to other data.
 */
export async function registerBroker(
  opened: OpenedIdentity,
  store: IdentityStore,
  metadata: MetadataAccess,
  options: RegistrationOptions,
): Promise<Identity> {
  const { logger, timers } = options.ports;
  let { identity, suspect } = opened;
  // -1 stands for "any id": a new storage id makes the log give out a new broker id.
  const rebind = async () => {
    await options.forgetReplicas();
    identity = await store.rebind(options.cell, anyId);
    suspect = false;
  };
  if (suspect && !options.recoverWithoutMajority) await rebind();
  while (!options.isStopped()) {
    const result = await metadata.propose((image) => decideRegisterBroker(image, command(identity, suspect, options)));
    const reply = result.kind === "done" ? result.reply : undefined;
    if (reply?.kind === "registered") {
      if (identity.brokerId !== reply.brokerId) identity = await store.adopt({ ...identity, brokerId: reply.brokerId });
      logger.info("broker-registered", { brokerId: identity.brokerId, suspect });
      return identity;
    }
    if (reply?.kind === "id-taken") {
      logger.warn("broker-id-taken", { brokerId: reply.brokerId });
      await rebind();
    } else if (reply !== undefined && reply.kind !== "continue") {
      throw new Error(`the metadata log refused this broker: ${reply.message ?? reply.kind}`);
    } else if (reply === undefined) {
      await new Promise<void>((resolve) => timers.after(startRetryMs, resolve));
    }
  }
  return identity;
}

/** Stands in the identity file until the log has given the new data directory an id. */
const anyId: BrokerId = -1;

function command(identity: Identity, suspect: boolean, options: RegistrationOptions) {
  const { zone, peer, listeners, incarnationId } = options;
  return {
    kind: "register-broker" as const,
    ...(identity.brokerId === anyId ? {} : { brokerId: identity.brokerId }),
    storageId: identity.storageId,
    incarnationId,
    zone,
    peer,
    listeners,
    featureLevelMax: featureLevelMax,
    suspect,
  };
}
