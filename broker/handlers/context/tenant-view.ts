import type { RoutedNames } from "../../../shared/broker-config/broker-config.ts";
import type { Uuid } from "../../../shared/kafka/codec/uuid.ts";
import type { MetadataImage, TopicImage } from "../../../shared/metadata/image/metadata-image.ts";
import type {
  BrokerId,
  Endpoint,
  LogicalClusterId,
  PartitionState,
  TopicId,
} from "../../../shared/metadata/records/record.ts";
import { formatHostName } from "../../../shared/tenancy/host-name.ts";
import { topicIdOf } from "./topic-ids.ts";

/** What a view looks at. */
export interface ViewedCell {
  readonly brokerId: BrokerId;
  image(): MetadataImage;
  isAlive(brokerId: BrokerId): boolean;
  /** -1 when none is known. */
  controllerId(): BrokerId;
}

/** A broker as a client may know it: through the listener that the client itself uses. */
export interface VisibleBroker extends Endpoint {
  readonly brokerId: BrokerId;
  readonly zone: string;
}

/**
 * The part of the cell that one tenant may see; handlers look nothing up another way. Bound to a logical cluster when
 * the connection authenticated, and never rebound: two tenants that use the same names never meet, and the id of a
 * topic of somebody else is unknown here, like one that does not exist.
 *
 * Reads the newest image at each call; what a call returned stays as it was.
 */
export class TenantView {
  /** undefined: nobody has authenticated yet, so there is nothing to see. */
  readonly lkc: LogicalClusterId | undefined;
  readonly #cell: ViewedCell;
  readonly #routed: RoutedNames | undefined;

  /** `routed`: the client came through a router, which knows brokers by name. */
  constructor(lkc: LogicalClusterId | undefined, cell: ViewedCell, routed?: RoutedNames) {
    this.lkc = lkc;
    this.#cell = cell;
    this.#routed = routed;
  }

  /** The id that clients see as the cluster's: the logical cluster's own. */
  get clusterId(): string {
    return this.lkc ?? "";
  }

  topic(name: string): TopicImage | undefined {
    return this.#topics?.get(name);
  }

  topicById(id: Uuid): TopicImage | undefined {
    const topicId = topicIdOf(id);
    return topicId === undefined ? undefined : this.ownTopic(topicId);
  }

  /** As `topicById`, by the id in the form of the image. */
  ownTopic(topicId: TopicId): TopicImage | undefined {
    const topic = this.#cell.image().topics.get(topicId);
    return topic !== undefined && this.lkc !== undefined && topic.lkc === this.lkc ? topic : undefined;
  }

  /** All topics of the tenant, by name, in order of creation. */
  topics(): Iterable<TopicImage> {
    return this.#topics?.values() ?? [];
  }

  /** Brokers that are alive, as seen through the listener, by id. */
  brokers(listener: string): VisibleBroker[] {
    const visible: VisibleBroker[] = [];
    if (this.lkc === undefined) return visible;
    for (const brokerId of this.#cell.image().brokers.keys()) {
      const broker = this.broker(brokerId, listener);
      if (broker !== undefined) visible.push(broker);
    }
    return visible.sort((a, b) => a.brokerId - b.brokerId);
  }

  /** The broker, unless it is dead, unknown, or has no such listener. */
  broker(brokerId: BrokerId, listener: string): VisibleBroker | undefined {
    if (this.lkc === undefined || !this.isAlive(brokerId)) return undefined;
    const registered = this.#cell.image().brokers.get(brokerId);
    const endpoint = registered?.listeners[listener];
    if (registered === undefined || endpoint === undefined) return undefined;
    const { zone } = registered;
    if (this.#routed === undefined) return { brokerId, zone, host: endpoint.host, port: endpoint.port };
    const { domain, port } = this.#routed;
    return { brokerId, zone, host: formatHostName({ kind: "broker", lkc: this.lkc, brokerId, zone }, domain), port };
  }

  isAlive(brokerId: BrokerId): boolean {
    return brokerId === this.#cell.brokerId || this.#cell.isAlive(brokerId);
  }

  /**
   * The broker that clients should send administrative requests to: the controller while it is alive, else this one
   * (any broker hands them on).
   */
  controllerId(listener: string): BrokerId {
    const controllerId = this.#cell.controllerId();
    return this.broker(controllerId, listener) === undefined ? this.#cell.brokerId : controllerId;
  }

  /** The partition's leader when clients can reach it; else -1, as in the middle of an election. */
  leaderOf(state: PartitionState, listener: string): BrokerId {
    return this.broker(state.leader, listener) === undefined ? -1 : state.leader;
  }

  get #topics(): ReadonlyMap<string, TopicImage> | undefined {
    return this.lkc === undefined ? undefined : this.#cell.image().topicsOf(this.lkc);
  }
}
