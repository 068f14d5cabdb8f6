/**
 * The handlers' logic over a broker's partitions, inside the broker's simulated process: what Produce, Fetch and the rest
 * do once a request is decoded and its tenant known.
 */
import type { HostedPartition, PartitionHost } from "../../../broker/partition/partition-contract.ts";
import type { MetadataImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { ConnectionEnd } from "../world/connection.ts";
import type { Network } from "../world/network.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { machineHost } from "../world/sim-transport.ts";
import { messageBytes, type Request, type Response } from "./kafka-messages.ts";

export const kafkaPort = 9092;
/** The listener under which brokers register it. */
export const kafkaListener = "plain";
export const simulatedLkc = "lkc-sim01";

export type AdminRequest = Request & {
  readonly kind:
    | "ensure-logical-cluster"
    | "delete-logical-cluster"
    | "set-cell-configs"
    | "create-topic"
    | "delete-topic";
};

/** The requests of one connection that come as frames. */
export interface FrameSession {
  serve(request: Request & { readonly kind: "frame" }, respond: (response: Response) => void): void;
  /** The connection is closed. */
  end(): void;
}

/** What the handlers need of a broker. */
export interface ServedBroker {
  readonly partitions: Pick<PartitionHost, "find">;
  /** Undefined until the broker knows its cell. */
  image(): MetadataImage | undefined;
  /** Carries out a change of metadata, wherever the controller is; undefined when done, else why not. */
  administer(request: AdminRequest): Promise<string | undefined>;
  /** A connection begins; absent: frames are not served. */
  openFrames?(): FrameSession;
}

export interface Correlated<T> {
  readonly id: number;
  readonly body: T;
}

export function serveKafka(network: Network, process: SimProcess, broker: ServedBroker): () => void {
  const address = `${machineHost(process.machineId)}:${kafkaPort}`;
  const listening = {
    process,
    accept: (end: ConnectionEnd) => {
      const frames = broker.openFrames?.();
      return {
        onMessage: (message: unknown) => {
          const { id, body } = message as Correlated<Request>;
          const respond = (response: Response) => end.send({ id, body: response }, messageBytes(response));
          if (body.kind === "frame") frames?.serve(body, respond);
          else handle({ process, nowMs: () => network.scheduler.nowMs }, broker, body, respond);
        },
        onClose: () => frames?.end(),
      };
    },
  };
  network.listen(address, listening);
  return () => network.unlisten(address, listening);
}

type Respond = (response: Response) => void;

/** Where a request is handled: the broker's process, and the true time for the checkers. */
interface Place {
  readonly process: SimProcess;
  readonly nowMs: () => number;
}

function handle(
  place: Place,
  broker: ServedBroker,
  request: Exclude<Request, { readonly kind: "frame" }>,
  respond: Respond,
): void {
  switch (request.kind) {
    case "metadata":
      return respond(describeCell(broker.image()));
    case "ensure-logical-cluster":
    case "delete-logical-cluster":
    case "set-cell-configs":
    case "create-topic":
    case "delete-topic":
      void broker.administer(request).then((refused) => {
        respond(refused === undefined ? { kind: "done" } : { kind: "error", error: "ADMIN_FAILED", message: refused });
      });
      return;
    default: {
      const hosted = broker.partitions.find(request.topicId, request.partition);
      if (hosted === undefined) return respond({ kind: "error", error: "UNKNOWN_TOPIC_OR_PARTITION" });
      handlePartition(place, hosted, request, respond);
    }
  }
}

/** What is asked of one partition, in contrast to the cell. */
type PartitionRequest = Exclude<Request, AdminRequest | { readonly kind: "metadata" | "frame" }>;

function handlePartition(place: Place, hosted: HostedPartition, request: PartitionRequest, respond: Respond): void {
  switch (request.kind) {
    case "produce":
      return produce(place, hosted, request, respond);
    case "fetch":
      return fetch(place, hosted, request, respond);
    case "offset-for-leader-epoch": {
      const offsets = hosted.offsets(request.currentLeaderEpoch);
      if ("kind" in offsets) return respond({ kind: "error", error: offsets.error });
      return respond({ kind: "epoch-end", ...hosted.endOffsetForEpoch(request.leaderEpoch) });
    }
    case "log-start": {
      const offsets = hosted.offsets(request.currentLeaderEpoch);
      if ("kind" in offsets) return respond({ kind: "error", error: offsets.error });
      return respond({ kind: "log-start", offset: offsets.logStartOffset });
    }
    case "delete-records":
      void hosted.deleteRecords(request.offset).then((result) => {
        if (result.kind === "failed") respond({ kind: "error", error: result.error });
        else respond({ kind: "records-deleted", lowWatermark: result.lowWatermark });
      });
  }
}

function produce(
  place: Place,
  hosted: HostedPartition,
  request: Request & { readonly kind: "produce" },
  respond: Respond,
): void {
  // The sender keeps its own copy: the broker writes offsets into the bytes.
  const result = hosted.append(Buffer.from(request.records), { requiredAcks: request.acks });
  if (result.kind === "failed") return respond({ kind: "error", error: result.error, message: result.message });
  const produced = (): Response => ({ kind: "produced", baseOffset: result.baseOffset, committedMs: place.nowMs() });
  if (request.acks === 1) return respond(produced());
  let isAnswered = false;
  const answer = (response: Response): void => {
    if (isAnswered) return;
    isAnswered = true;
    cancelTimeout();
    respond(response);
  };
  let withdraw = (): void => undefined;
  const cancelTimeout = place.process.timers.after(request.timeoutMs, () => {
    withdraw();
    answer({ kind: "error", error: "REQUEST_TIMED_OUT" });
  });
  withdraw = hosted.whenCommitted(result.endOffset, (error) => {
    answer(error === undefined ? produced() : { kind: "error", error });
  });
}

function fetch(
  place: Place,
  hosted: HostedPartition,
  request: Request & { readonly kind: "fetch" },
  respond: Respond,
): void {
  let isDone = false;
  const finish = (response: Response): void => {
    if (isDone) return;
    isDone = true;
    withdraw();
    cancelTimeout();
    respond(response);
  };
  /** Answers if there is something to say; `last`: also when there is not. */
  const attempt = (last: boolean): void => {
    if (isDone) return;
    const offsets = hosted.offsets(request.currentLeaderEpoch);
    if ("kind" in offsets) return finish({ kind: "error", error: offsets.error });
    const { highWatermark, logStartOffset, leaderEpoch } = offsets;
    const servedMs = place.nowMs();
    if (request.offset < logStartOffset || request.offset > highWatermark) {
      return finish({ kind: "error", error: "OFFSET_OUT_OF_RANGE" });
    }
    const answer = (batches: readonly Buffer[]): void => {
      finish({ kind: "fetched", leaderEpoch, highWatermark, logStartOffset, batches, servedMs });
    };
    if (request.offset < highWatermark) {
      const read = hosted.read(request.offset, request.maxBytes, true);
      void Promise.resolve(read).then((batches) => {
        if ("kind" in batches) finish({ kind: "error", error: batches.error });
        else answer(batches.map((batch) => Buffer.from(batch)));
      });
    } else if (last) answer([]);
  };
  const withdraw = hosted.watch(() => place.process.timers.afterTurn(() => attempt(false)));
  const cancelTimeout = place.process.timers.after(request.waitMs, () => attempt(true));
  attempt(false);
}

function describeCell(image: MetadataImage | undefined): Response {
  if (image === undefined) return { kind: "error", error: "LEADER_NOT_AVAILABLE" };
  const topics = image.topicsOf(simulatedLkc);
  return {
    kind: "metadata",
    brokers: [...image.brokers.values()].flatMap((broker) => {
      const endpoint = broker.listeners[kafkaListener];
      return endpoint === undefined ? [] : [{ brokerId: broker.brokerId, host: endpoint.host, port: endpoint.port }];
    }),
    topics: [...(topics?.values() ?? [])].map((topic) => ({
      topicId: topic.topicId,
      name: topic.name,
      partitions: topic.partitions.map((partition) => ({
        leader: partition.leader,
        leaderEpoch: partition.leaderEpoch,
        replicas: partition.voters,
      })),
    })),
  };
}
