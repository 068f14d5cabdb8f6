import { strict as assert } from "node:assert";
import type { AdmissionLimits } from "../../../../broker/admission/limits.ts";
import { KafkaServer } from "../../../../broker/connection/kafka-server.ts";
import type { ConnectionLimits } from "../../../../broker/connection/limits.ts";
import { LogLook } from "../../../../broker/controller/log-look.ts";
import type { BrokerServices } from "../../../../broker/handlers/context/broker-services.ts";
import { issueAuthority, issueServerCertificate } from "../../../../local/tls/issue.ts";
import { newApiKey } from "../../../../shared/access/api-key-secret.ts";
import { type Clock, systemClock } from "../../../../shared/ports/clock.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";
import { systemTimers, type Timers } from "../../../../shared/ports/timers.ts";
import { readNetworks } from "../../../../shared/proxy-protocol/network-list.ts";
import type { Logger } from "../../../../shared/telemetry/logger.ts";
import { InMemoryBroker, listenerName } from "../handlers/in-memory-broker.ts";
import { WireClient } from "./wire-client.ts";

export const plainLkc = "lkc-plain";
export const secureLkc = "lkc-secure";

const dayMs = 86_400_000;

/** A server on real ports, over a broker in memory, with a plaintext and a SASL_SSL listener. */
export class RunningServer {
  readonly broker: InMemoryBroker;
  readonly server: KafkaServer;
  readonly ca: string;
  readonly key: { readonly keyId: string; readonly secret: string };
  /** Lines logged as errors: bugs. */
  readonly errors: string[];

  private constructor(parts: Pick<RunningServer, "broker" | "server" | "ca" | "key" | "errors">) {
    this.broker = parts.broker;
    this.server = parts.server;
    this.ca = parts.ca;
    this.key = parts.key;
    this.errors = parts.errors;
  }

  /**
   * `proxies`: networks from which the SASL_SSL listener expects PROXY headers. `time`: one that stands still lets no wait of a
   * request end by itself, however long the machine stands still.
   */
  static async start(
    limits: Partial<ConnectionLimits> = {},
    admission: Partial<AdmissionLimits> = {},
    { proxies, time }: { readonly proxies?: readonly string[]; readonly time?: Clock & Timers } = {},
  ) {
    const broker = new InMemoryBroker(plainLkc, secureLkc);
    const key = newApiKey(systemRandom);
    const { keyId, verifier } = key;
    broker.apply({
      type: "api-key-upserted",
      keyId,
      lkc: secureLkc,
      principal: "User:test",
      verifier,
      createdMs: 0,
    });
    const errors: string[] = [];
    const tls = await issueCertificates();
    const server = new KafkaServer({
      services: servicesOf(broker, errors, { clock: time ?? systemClock, timers: time ?? systemTimers }),
      listeners: [
        {
          name: listenerName,
          host: "127.0.0.1",
          port: 0,
          security: { kind: "plaintext", lkc: plainLkc, principal: "User:anonymous" },
        },
        {
          name: "secure",
          host: "127.0.0.1",
          port: 0,
          security: {
            kind: "sasl-ssl",
            tls,
            routed: { domain: "cell.example", port: 9_392 },
            proxies: proxies === undefined ? undefined : networksOf(proxies),
          },
        },
      ],
      limits: { sweepMs: 20, ...limits },
      admission,
    });
    await server.start();
    return new RunningServer({ broker, server, ca: tls.ca, key, errors });
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(this.server.port(listenerName));
  }

  connectTls(serverName?: string): Promise<WireClient> {
    return WireClient.connectTls(this.server.port("secure"), this.ca, serverName);
  }

  stop(): Promise<void> {
    return this.server.stop(200);
  }

  /** Stops, and makes sure that nothing went wrong unseen and nothing is still held. */
  async stopClean(): Promise<void> {
    await this.stop();
    assert.deepEqual(this.errors, []);
    assert.equal(this.server.memoryBytes, 0);
  }
}

function networksOf(texts: readonly string[]) {
  const networks = readNetworks(texts);
  assert(networks.kind === "networks");
  return networks.list;
}

export async function issueCertificates() {
  const validity = { notBeforeMs: Date.now() - dayMs, notAfterMs: Date.now() + dayMs };
  const authority = await issueAuthority(validity);
  const server = await issueServerCertificate({
    ...validity,
    authorityPem: authority.certificatePem,
    authorityKeyPem: authority.keyPem,
    names: ["localhost", "*.cell.example"],
    addresses: ["127.0.0.1"],
  });
  return { key: server.keyPem, cert: server.certificatePem, ca: authority.certificatePem };
}

function servicesOf(
  broker: InMemoryBroker,
  errors: string[],
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): BrokerServices {
  const logger: Logger = {
    ...broker.logger,
    error: (event, fields) => errors.push(`${event} ${String(fields?.["error"])}`),
    with: () => logger,
  };
  return {
    brokerId: broker.brokerId,
    image: () => broker.image(),
    logLook: new LogLook(async () => broker.refresh(), clock, timers),
    isAlive: (brokerId) => broker.isAlive(brokerId),
    controllerId: () => broker.controllerId(),
    partitions: broker.partitions,
    submit: (command) => broker.submit(command),
    producerIds: broker.producerIds,
    groups: broker.groups,
    clock,
    timers,
    random: systemRandom,
    logger,
    metrics: broker.metrics,
  };
}

/** Waits until the condition holds; fails after twenty seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not within twenty seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
