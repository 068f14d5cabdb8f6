import { featureLevelBase } from "../records/limits.ts";
import type {
  ApiKeyUpserted,
  BrokerId,
  BrokerRegistered,
  LogicalClusterId,
  LogicalClusterUpserted,
  MetadataSeq,
  TopicId,
} from "../records/record.ts";
import type { MetadataImage, TopicImage } from "./metadata-image.ts";
import { OverlayTable, type Table } from "./table.ts";

/** Makes an empty table; tests hand in one that counts. */
export type MakeTable = <K, V>() => Table<K, V>;

/**
 * The image as its replay sees it: writable. Everybody else gets it as `MetadataImage`. Two indexes are kept beside the
 * public tables (topics by tenant and name, API keys by tenant), so that nothing is ever searched for.
 */
export class ImageState implements MetadataImage {
  readonly cell: string;
  seq: MetadataSeq = 0;
  featureLevel = featureLevelBase;
  controller: { readonly brokerId: BrokerId; readonly controllerEpoch: number } | undefined = undefined;
  cellConfigs: Readonly<Record<string, string>> = {};
  nextProducerId = 0;
  nextBrokerId: BrokerId = 1;
  readonly retiredBrokerIds: Set<BrokerId>;
  readonly brokers: Table<BrokerId, BrokerRegistered>;
  readonly logicalClusters: Table<LogicalClusterId, LogicalClusterUpserted>;
  readonly apiKeys: Table<string, ApiKeyUpserted>;
  readonly topics: Table<TopicId, TopicImage>;
  readonly #topicsByName: Table<LogicalClusterId, Table<string, TopicImage>>;
  readonly #keysByCluster: Table<LogicalClusterId, Table<string, true>>;
  /** Makes the inner table of an index writable: a new one, or an overlay over the base's. */
  readonly #openInner: <V>(present: Table<string, V> | undefined) => Table<string, V>;

  private constructor(cell: string, base: ImageState | undefined, makeTable: MakeTable) {
    const open = <K, V>(table: Table<K, V> | undefined): Table<K, V> =>
      table === undefined ? makeTable() : new OverlayTable(table);
    this.cell = cell;
    this.brokers = open(base?.brokers);
    this.logicalClusters = open(base?.logicalClusters);
    this.apiKeys = open(base?.apiKeys);
    this.topics = open(base?.topics);
    this.#topicsByName = open(base === undefined ? undefined : base.#topicsByName);
    this.#keysByCluster = open(base === undefined ? undefined : base.#keysByCluster);
    this.#openInner = (present) => (base === undefined ? (present ?? makeTable()) : open(present));
    if (base !== undefined) {
      this.seq = base.seq;
      this.featureLevel = base.featureLevel;
      this.controller = base.controller;
      this.cellConfigs = base.cellConfigs;
      this.nextProducerId = base.nextProducerId;
      this.nextBrokerId = base.nextBrokerId;
    }
    this.retiredBrokerIds = new Set(base?.retiredBrokerIds);
  }

  static empty(cell: string, makeTable: MakeTable = () => new Map()): ImageState {
    return new ImageState(cell, undefined, makeTable);
  }

  /** An image in which changes can be tried: `base` stays as it is, and must not change while this is in use. */
  static over(base: ImageState): ImageState {
    return new ImageState(base.cell, base, () => new Map());
  }

  topicsOf(lkc: LogicalClusterId): ReadonlyMap<string, TopicImage> | undefined {
    return this.#topicsByName.get(lkc);
  }

  /** Ids of a tenant's API keys. */
  apiKeysOf(lkc: LogicalClusterId): Iterable<string> {
    return this.#keysByCluster.get(lkc)?.keys() ?? [];
  }

  setTopic(topic: TopicImage): void {
    this.topics.set(topic.topicId, topic);
    this.#inner(this.#topicsByName, topic.lkc).set(topic.name, topic);
  }

  deleteTopic(topic: TopicImage): void {
    this.topics.delete(topic.topicId);
    this.#deleteInner(this.#topicsByName, topic.lkc, topic.name);
  }

  setApiKey(key: ApiKeyUpserted): void {
    this.deleteApiKey(key.keyId);
    this.apiKeys.set(key.keyId, key);
    this.#inner(this.#keysByCluster, key.lkc).set(key.keyId, true);
  }

  deleteApiKey(keyId: string): void {
    const present = this.apiKeys.get(keyId);
    if (present !== undefined) {
      this.apiKeys.delete(keyId);
      this.#deleteInner(this.#keysByCluster, present.lkc, keyId);
    }
  }

  #inner<V>(index: Table<LogicalClusterId, Table<string, V>>, lkc: LogicalClusterId): Table<string, V> {
    const present = index.get(lkc);
    const writable = this.#openInner(present);
    if (writable !== present) {
      index.set(lkc, writable);
    }
    return writable;
  }

  #deleteInner<V>(index: Table<LogicalClusterId, Table<string, V>>, lkc: LogicalClusterId, key: string): void {
    const inner = this.#inner(index, lkc);
    inner.delete(key);
    if (inner.size === 0) {
      index.delete(lkc);
    }
  }
}
