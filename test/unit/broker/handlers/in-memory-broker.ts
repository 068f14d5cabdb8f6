import type { SubmitResult } from "../../../../broker/controller/command-gateway.ts";
import { LogLook } from "../../../../broker/controller/log-look.ts";
import { GroupCoordinator } from "../../../../broker/coordinator/group-coordinator.ts";
import type { BrokerServices } from "../../../../broker/handlers/context/broker-services.ts";
import type { ClientSession } from "../../../../broker/handlers/context/client-session.ts";
import { type Handler, register, Unanswered } from "../../../../broker/handlers/context/handler.ts";
import { TenantMeters } from "../../../../broker/handlers/context/tenant-meters.ts";
import { TenantView } from "../../../../broker/handlers/context/tenant-view.ts";
import { wireTopicId } from "../../../../broker/handlers/context/topic-ids.ts";
import type { Api, RequestInputOf, ResponseOf } from "../../../../shared/kafka/codec/fields.ts";
import { decodeRequestHeader, decodeResponse, encodeRequest } from "../../../../shared/kafka/codec/message-codec.ts";
import { decide } from "../../../../shared/metadata/commands/decide.ts";
import type { EnsureInternalTopicsReply } from "../../../../shared/metadata/commands/ensure-internal-topics.ts";
import type { MetadataCommand } from "../../../../shared/metadata/commands/metadata-command.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import { replay } from "../../../../shared/metadata/image/replay.ts";
import type { MetadataRecord } from "../../../../shared/metadata/records/record.ts";
import { randomUuid } from "../../../../shared/ports/random.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { noMetrics } from "../../../../shared/telemetry/metrics.ts";
import { finalReply } from "../../../simulation/cell/final-reply.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";
import { partitionState } from "../../shared/metadata/records/partition-state.ts";
import { type InMemoryPartition, InMemoryPartitions } from "./in-memory-partitions.ts";
import { ManualTime } from "./manual-time.ts";

export const listenerName = "plaintext";

/**
 * Broker 1 of a cell of three, in memory: real metadata commands and image, partitions that a test drives. Brokers 2 and
 * 3 are registered and alive, but only their existence is.
 */
export class InMemoryBroker implements BrokerServices {
  readonly brokerId = 1;
  readonly time = new ManualTime();
  readonly partitions = new InMemoryPartitions();
  readonly random = new SeededRandom("handlers");
  readonly logger = silentLogger;
  readonly metrics = noMetrics;
  readonly dead = new Set<number>();
  /** Answers instead of the controller. */
  submitFailure: "no-controller" | "unknown" | undefined;
  /** Commands in the order of their submission. */
  readonly submitted: MetadataCommand[] = [];
  nextProducerId: number | undefined = 4_000;
  /** What the next look at the metadata log brings. */
  refresh: () => unknown = () => undefined;
  readonly logLook = new LogLook(async () => this.refresh(), this.time, this.time);
  readonly groups: GroupCoordinator;
  readonly #image = ImageState.empty("cell-1");

  constructor(...lkcs: string[]) {
    const records: MetadataRecord[] = [1, 2, 3].map(
      (brokerId): MetadataRecord => ({
        type: "broker-registered",
        brokerId,
        storageId: `storage-${brokerId}`,
        incarnationId: `incarnation-${brokerId}`,
        zone: `zone-${brokerId}`,
        peer: { host: "127.0.0.1", port: 7_000 + brokerId },
        listeners: {
          [listenerName]: { host: "localhost", port: 9_000 + brokerId },
          secure: { host: `b${brokerId}.example`, port: 443 },
        },
        featureLevelMax: 1,
        suspect: false,
      }),
    );
    records.push({ type: "controller-elected", brokerId: 2, controllerEpoch: 1 });
    for (const lkc of lkcs) records.push({ type: "logical-cluster-upserted", lkc, name: lkc, createdMs: 0 });
    this.apply(...records);
    this.groups = new GroupCoordinator({
      self: this.brokerId,
      clock: this.time,
      timers: this.time,
      logger: this.logger,
      commands: this,
      onEvent: () => undefined,
      image: () => this.#image,
    });
  }

  get clock(): ManualTime {
    return this.time;
  }

  get timers(): ManualTime {
    return this.time;
  }

  get producerIds() {
    return { next: () => Promise.resolve(this.nextProducerId) };
  }

  image(): ImageState {
    return this.#image;
  }

  isAlive(brokerId: number): boolean {
    return !this.dead.has(brokerId);
  }

  controllerId(): number {
    return this.#image.controller?.brokerId ?? -1;
  }

  apply(...records: MetadataRecord[]): void {
    const delta = replay(this.#image, this.#image.seq + 1, records);
    // Not there yet while the first brokers are registered.
    this.groups?.onDelta(delta, this.#image);
  }

  /** Makes the internal topic of groups; all its partitions are led and hosted here, and loaded. */
  async hostGroups(partitions = 4): Promise<readonly InMemoryPartition[]> {
    this.apply({
      type: "cell-config-replaced",
      configs: { ...this.#image.cellConfigs, "offsets.topic.num.partitions": String(partitions) },
    });
    const { reply } = (await this.submit({ kind: "ensure-internal-topics" })) as {
      readonly reply: EnsureInternalTopicsReply;
    };
    if (reply.kind !== "done") throw new Error(reply.message);
    const { offsetsTopicId } = reply;
    const hosted = Array.from({ length: partitions }, (_, index) => this.partitions.host(offsetsTopicId, index));
    for (const partition of hosted) {
      if (this.#image.topics.get(offsetsTopicId)?.partitions[partition.partition]?.leader !== this.brokerId)
        this.moveLeader(offsetsTopicId, partition.partition, this.brokerId);
      this.groups.onLeadership(partition);
    }
    await this.time.settle();
    return hosted;
  }

  submit<C extends MetadataCommand>(command: C): Promise<SubmitResult<C>> {
    this.submitted.push(command);
    if (this.submitFailure === "no-controller") return Promise.resolve({ kind: "no-controller" });
    if (this.submitFailure === "unknown") return Promise.resolve({ kind: "unknown", reason: "test" });
    const { records, reply } = decide(this.#image, command, {
      aliveBrokers: [1, 2, 3].filter((brokerId) => this.isAlive(brokerId)),
      wallMs: this.time.wallMs(),
      cellNumber: 1,
      randomId: () => randomUuid(this.random),
    });
    this.apply(...records);
    return Promise.resolve({ kind: "done", reply });
  }

  /** Makes a topic whose partitions are all led and hosted here. */
  topic(lkc: string, name: string, partitions = 1, topicId = randomUuid(this.random)): HostedTopic {
    this.apply(
      { type: "topic-upserted", topicId, lkc, name, createdMs: 0, configs: {} },
      {
        type: "partitions-upserted",
        topicId,
        partitions: Array.from({ length: partitions }, (_, partition) => partitionState({ partition })),
      },
    );
    const hosted = Array.from({ length: partitions }, (_, index) => this.partitions.host(topicId, index));
    return { name, topicId, wireId: wireTopicId(topicId), hosted };
  }

  /** The image's leader of a partition becomes another broker. */
  moveLeader(topicId: string, partition: number, leader: number): void {
    const state = this.#image.topics.get(topicId)?.partitions[partition];
    if (state === undefined) throw new Error("no such partition");
    const moved = { ...state, leader, leaderEpoch: state.leaderEpoch + 1, partitionEpoch: state.partitionEpoch + 1 };
    this.apply({ type: "partitions-upserted", topicId, partitions: [moved] });
  }
}

export interface HostedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly wireId: string;
  readonly hosted: readonly InMemoryPartition[];
}

/** A client of one tenant: sends requests through the real codec to one handler. */
export class InMemoryClient implements ClientSession {
  readonly listener = listenerName;
  readonly clientHost = "/127.0.0.1";
  readonly tenant: TenantView;
  readonly meters: TenantMeters;
  readonly sasl = {
    mechanisms: ["PLAIN"],
    choose: () => "ILLEGAL_SASL_STATE" as const,
    authenticate: () => Promise.resolve({ error: "ILLEGAL_SASL_STATE" as const, message: null, lifetimeMs: 0 }),
  };
  memoryBytes = 100_000_000;
  lookedInVainMs = Number.NEGATIVE_INFINITY;
  gaveUpOn: ClientSession["gaveUpOn"];
  readonly #broker: InMemoryBroker;
  readonly #endings = new Set<() => void>();

  constructor(broker: InMemoryBroker, lkc: string | undefined) {
    this.#broker = broker;
    this.tenant = new TenantView(lkc, broker);
    this.meters = new TenantMeters(noMetrics, lkc ?? "");
  }

  responseBytesAllowed(): number {
    return this.memoryBytes;
  }

  whenEnding(run: () => void) {
    this.#endings.add(run);
    return () => this.#endings.delete(run);
  }

  /** How many requests wait for the end of the connection, among other things. */
  get endings(): number {
    return this.#endings.size;
  }

  close(): void {
    for (const ending of this.#endings) ending();
  }

  async call<A extends Api>(handler: Handler<A>, version: number, request: RequestInputOf<A>): Promise<ResponseOf<A>> {
    const answer = await this.send(handler, version, request);
    if (answer instanceof Unanswered) throw new Error("the request has no answer");
    return answer;
  }

  /** Adds to `frames` the buffer in which the request came. */
  async send<A extends Api>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
    frames: WeakRef<ArrayBufferLike>[] = [],
  ): Promise<ResponseOf<A> | Unanswered> {
    const reply = await this.#serve(handler, version, request, frames);
    if (reply instanceof Unanswered) return reply;
    return decodeResponse(handler.api, version, payload(reply)).body;
  }

  #serve<A extends Api>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
    frames: WeakRef<ArrayBufferLike>[],
  ) {
    const chunks = encodeRequest(handler.api, version, { correlationId: 5, clientId: "test" }, request);
    // A buffer of its own, as a large frame has on a connection.
    const frame = Buffer.from(new Uint8Array(payload(chunks)).buffer);
    frames.push(new WeakRef(frame.buffer));
    const { bodyOffset, correlationId, clientId } = decodeRequestHeader(frame, () => handler.api);
    return finalReply(
      register(handler).serve(this.#broker, this, { frame, bodyOffset, correlationId, version, clientId }),
    );
  }
}

/** A frame without its length. */
function payload(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks).subarray(4);
}
