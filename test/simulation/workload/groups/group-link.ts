import type { Api, RequestInputOf, ResponseOf } from "../../../../shared/kafka/codec/fields.ts";
import { decodeResponse, encodeRequest } from "../../../../shared/kafka/codec/message-codec.ts";
import { type ErrorName, kafkaErrorOf } from "../../../../shared/kafka/error-codes.ts";
import { coordinatorKeyTypes, findCoordinator } from "../../../../shared/kafka/schema/find-coordinator.ts";
import type { Network } from "../../world/network.ts";
import type { SimProcess } from "../../world/sim-process.ts";
import { machineHost } from "../../world/sim-transport.ts";
import { KafkaLink } from "../kafka-link.ts";
import { kafkaPort } from "../kafka-server.ts";

/** What a request came to; `servedMs`: true time at the broker, for the checkers. */
export type Told<A extends Api> =
  | { readonly kind: "told"; readonly body: ResponseOf<A>; readonly servedMs: number }
  /** Nobody knows what became of it. */
  | { readonly kind: "lost" };

const requestTimeoutMs = 1_500;
const manyKeysFrom = 4;

/** One client's connections, all of one logical cluster, and where it believes the coordinators of groups to be. */
export class GroupLink {
  readonly lkc: string;
  readonly process: SimProcess;
  readonly #network: Network;
  readonly #bootstrap: readonly string[];
  readonly #links = new Map<string, KafkaLink>();
  readonly #coordinators = new Map<string, string>();
  readonly #clientId: string;
  #correlationId = 0;

  constructor(options: {
    readonly network: Network;
    readonly process: SimProcess;
    readonly lkc: string;
    readonly clientId: string;
    readonly brokerMachines: readonly number[];
  }) {
    this.#network = options.network;
    this.process = options.process;
    this.lkc = options.lkc;
    this.#clientId = options.clientId;
    this.#bootstrap = options.brokerMachines.map((id) => `${machineHost(id)}:${kafkaPort}`);
  }

  get addresses(): readonly string[] {
    return this.#bootstrap;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.timers.after(ms, resolve));
  }

  ask<A extends Api>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
    to: { readonly address: string; readonly timeoutMs?: number },
  ): Promise<Told<A>> {
    this.#correlationId += 1;
    const header = { correlationId: this.#correlationId, clientId: this.#clientId };
    const frame = Buffer.concat(encodeRequest(api, version, header, body)).subarray(4);
    return new Promise((resolve) => {
      const request = { kind: "frame", lkc: this.lkc, frame } as const;
      this.#link(to.address).request(request, to.timeoutMs ?? requestTimeoutMs, (response) => {
        if (response.kind !== "frame") return resolve({ kind: "lost" });
        const answer = decodeResponse(api, version, response.frame);
        resolve({ kind: "told", body: answer.body, servedMs: response.servedMs });
      });
    });
  }

  askAny<A extends Api>(api: A, version: number, body: RequestInputOf<A>): Promise<Told<A>> {
    return this.ask(api, version, body, { address: this.process.random.pick(this.#bootstrap) });
  }

  /** Where the group's coordinator is, as far as known or told now; undefined when nobody could say. */
  async coordinatorOf(groupId: string): Promise<string | undefined> {
    const known = this.#coordinators.get(groupId);
    if (known !== undefined) return known;
    const version = this.process.random.pick([1, 4, 6]);
    const keys = version < manyKeysFrom ? { key: groupId } : { coordinatorKeys: [groupId] };
    const told = await this.askAny(findCoordinator, version, { ...keys, keyType: coordinatorKeyTypes.group });
    if (told.kind === "lost") return undefined;
    const place = version < manyKeysFrom ? told.body : told.body.coordinators[0];
    if (place === undefined || place.errorCode !== 0) return undefined;
    const address = `${place.host}:${place.port}`;
    this.#coordinators.set(groupId, address);
    return address;
  }

  /** It is not there any more, or does not answer. */
  forgetCoordinator(groupId: string): void {
    this.#coordinators.delete(groupId);
  }

  #link(address: string): KafkaLink {
    let link = this.#links.get(address);
    if (link === undefined) {
      const [host = "", port = ""] = address.split(":");
      link = new KafkaLink(this.#network, this.process, { host, port: Number(port) });
      this.#links.set(address, link);
    }
    return link;
  }
}

export function errorOf(code: number): ErrorName {
  const error = kafkaErrorOf(code);
  if (error === undefined) throw new Error(`there is no error ${code}`);
  return error.name;
}

/** Errors after which a client looks for the coordinator anew. */
export function isElsewhere(error: ErrorName): boolean {
  return error === "NOT_COORDINATOR" || error === "COORDINATOR_NOT_AVAILABLE";
}
