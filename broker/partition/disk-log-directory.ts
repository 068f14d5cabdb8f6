import type { TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Disk } from "../../shared/ports/disk.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { Offset, PartitionLogContract } from "../log/log-contract.ts";
import { type LogEnvironment, makeLogEnvironment } from "../log/log-environment.ts";
import { PartitionLog } from "../log/partition-log.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { PartitionSettings } from "./partition-settings.ts";

const directoryName = /^([0-9a-f]{32})-(\d+)$/;

/** One folder a replica, `<topic id>-<partition>`, all in one folder. */
export class DiskLogDirectory implements LogDirectory {
  readonly #root: string;
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #environment: LogEnvironment;
  readonly #pageCacheSurvived: boolean;

  constructor(
    root: string,
    ports: { readonly disk: Disk; readonly clock: Clock; readonly logger: Logger },
    options: {
      readonly pageCacheSurvived: boolean;
      /** See `tailCacheBytesDefault` in the log's limits.ts. */
      readonly tailBytesMax?: number | undefined;
    },
  ) {
    this.#root = root;
    this.#disk = ports.disk;
    this.#logger = ports.logger;
    this.#environment = makeLogEnvironment(ports.disk, ports.clock, { tailBytesMax: options.tailBytesMax });
    this.#pageCacheSurvived = options.pageCacheSurvived;
  }

  get standsStillSinceMs(): number | undefined {
    return this.#environment.writes.standsStillSinceMs;
  }

  async open(
    topicId: TopicId,
    partition: number,
    settings: PartitionSettings,
    writtenOffset: Offset = 0,
  ): Promise<PartitionLogContract> {
    const options = { config: settings.log, pageCacheSurvived: this.#pageCacheSurvived, writtenOffset };
    const log = await PartitionLog.open(this.#environment, this.#path(topicId, partition), options);
    if (log.recovery.truncatedBytes > 0)
      this.#logger.info("log-tail-cut", { topicId, partition, bytes: log.recovery.truncatedBytes });
    return log;
  }

  async list(): Promise<readonly { readonly topicId: TopicId; readonly partition: number }[]> {
    return (await this.#disk.list(this.#root)).flatMap((name) => {
      const match = directoryName.exec(name);
      return match?.[1] === undefined ? [] : [{ topicId: match[1], partition: Number(match[2]) }];
    });
  }

  remove(topicId: TopicId, partition: number): Promise<void> {
    return this.#disk.removeDirectory(this.#path(topicId, partition));
  }

  #path(topicId: TopicId, partition: number): string {
    return `${this.#root}/${topicId}-${partition}`;
  }
}
