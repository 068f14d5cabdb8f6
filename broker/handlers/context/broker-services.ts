import type { MetadataCommand } from "../../../shared/metadata/commands/metadata-command.ts";
import type { MetadataImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { BrokerId } from "../../../shared/metadata/records/record.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Random } from "../../../shared/ports/random.ts";
import type { Timers } from "../../../shared/ports/timers.ts";
import type { Logger } from "../../../shared/telemetry/logger.ts";
import type { Metrics } from "../../../shared/telemetry/metrics.ts";
import type { SubmitResult } from "../../controller/command-gateway.ts";
import type { LogLook } from "../../controller/log-look.ts";
import type { GroupCoordinator } from "../../coordinator/group-coordinator.ts";
import type { PartitionHost } from "../../partition/partition-contract.ts";

/** All that handlers may use of this broker. `broker/main.ts` wires the real one, tests an in-memory one. */
export interface BrokerServices {
  readonly brokerId: BrokerId;
  /** The newest image that this broker applied. Handlers look at it through their client's `TenantView`. */
  image(): MetadataImage;
  /** Brings `image` up to the log's tail, for a client that names what is not in it. */
  readonly logLook: LogLook;
  /** Whether the link to the broker lives; true for this one. */
  isAlive(brokerId: BrokerId): boolean;
  /** -1 when none is known. */
  controllerId(): BrokerId;
  readonly partitions: PartitionHost;
  /** Has the controller decide on a change; resolves once `image` shows what it did. Never rejects. */
  submit<C extends MetadataCommand>(command: C, timeoutMs: number): Promise<SubmitResult<C>>;
  readonly producerIds: ProducerIds;
  readonly groups: GroupCoordinator;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Ids for idempotent producers, from blocks that the metadata log gave to this broker. */
export interface ProducerIds {
  /** An id never given before in the fleet; undefined when no block could be had in time. */
  next(): Promise<number | undefined>;
}
