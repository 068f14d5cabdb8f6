/** Kafka's protocol as bytes, served by the broker's own registry, codec and handlers inside its simulated process. */
import type { Broker } from "../../../broker/broker.ts";
import { LogLook } from "../../../broker/controller/log-look.ts";
import { createRegistry } from "../../../broker/dispatch/all-handlers.ts";
import { openRequest } from "../../../broker/dispatch/open-request.ts";
import type { BrokerServices } from "../../../broker/handlers/context/broker-services.ts";
import type { ClientSession, Withdraw } from "../../../broker/handlers/context/client-session.ts";
import { Unanswered } from "../../../broker/handlers/context/handler.ts";
import { TenantMeters } from "../../../broker/handlers/context/tenant-meters.ts";
import { TenantView } from "../../../broker/handlers/context/tenant-view.ts";
import type { Logger } from "../../../shared/telemetry/logger.ts";
import { noMetrics } from "../../../shared/telemetry/metrics.ts";
import type { Request, Response } from "../workload/kafka-messages.ts";
import { type FrameSession, kafkaListener } from "../workload/kafka-server.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { finalReply } from "./final-reply.ts";

const responseBytesMax = 1_048_576;

export interface FrameServerOptions {
  readonly broker: Broker;
  readonly process: SimProcess;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** A handler threw: a bug. */
  readonly onFault: (fault: unknown) => void;
}

export class FrameServer {
  readonly #options: FrameServerOptions;
  readonly #services: BrokerServices;
  readonly #registry: ReturnType<typeof createRegistry>;

  /** `broker` has started. */
  constructor(options: FrameServerOptions) {
    const { broker, process, logger } = options;
    this.#options = options;
    this.#services = {
      brokerId: broker.id,
      image: () => broker.image,
      logLook: new LogLook(() => broker.metadata.follower.refresh(), process.clock, process.timers),
      submit: (command, timeoutMs) => broker.commands.submit(command, timeoutMs),
      isAlive: (id) => broker.links.isAlive(id),
      controllerId: () => broker.image.controller?.brokerId ?? -1,
      partitions: broker.replicas,
      producerIds: broker.producerIds,
      groups: broker.groups,
      clock: process.clock,
      timers: process.timers,
      random: process.random,
      logger,
      metrics: noMetrics,
    };
    this.#registry = createRegistry(this.#services);
  }

  open(): FrameSession {
    const sessions = new Map<string, Session>();
    // One request of a connection after the other, as the connection's pipeline has it.
    let last: Promise<void> = Promise.resolve();
    let isEnded = false;
    return {
      serve: ({ lkc, frame }, respond) => {
        const session = sessions.get(lkc) ?? new Session(lkc, this.#services);
        sessions.set(lkc, session);
        last = last.then(async () => {
          if (!isEnded) await this.#serve(session, frame, respond);
        });
      },
      end: () => {
        isEnded = true;
        for (const session of sessions.values()) session.end();
      },
    };
  }

  async #serve(
    session: Session,
    frame: (Request & { readonly kind: "frame" })["frame"],
    respond: (response: Response) => void,
  ): Promise<void> {
    const { onFault, nowMs } = this.#options;
    try {
      const opened = openRequest(this.#registry, frame);
      if (opened.kind !== "request") throw new Error(`a request that is ${opened.kind}`);
      const reply = await finalReply(opened.entry.serve(this.#services, session, opened.request));
      if (reply instanceof Unanswered) throw new Error(`${opened.entry.api.name} has no answer`);
      respond({ kind: "frame", frame: Buffer.concat(reply).subarray(4), servedMs: nowMs() });
    } catch (fault) {
      onFault(fault);
    }
  }
}

/** What handlers may know of a connection. */
class Session implements ClientSession {
  readonly listener = kafkaListener;
  readonly clientHost = "/192.0.2.1";
  readonly tenant: TenantView;
  readonly meters: TenantMeters;
  lookedInVainMs = Number.NEGATIVE_INFINITY;
  gaveUpOn: ClientSession["gaveUpOn"];
  readonly sasl = {
    mechanisms: [],
    choose: () => "ILLEGAL_SASL_STATE" as const,
    authenticate: () => Promise.resolve({ error: "ILLEGAL_SASL_STATE" as const, message: null, lifetimeMs: 0 }),
  };
  readonly #endings = new Set<() => void>();

  constructor(lkc: string, services: BrokerServices) {
    this.tenant = new TenantView(lkc, services);
    this.meters = new TenantMeters(noMetrics, lkc);
  }

  responseBytesAllowed(): number {
    return responseBytesMax;
  }

  whenEnding(run: () => void): Withdraw {
    this.#endings.add(run);
    return () => this.#endings.delete(run);
  }

  end(): void {
    for (const ending of [...this.#endings]) ending();
    this.#endings.clear();
  }
}
