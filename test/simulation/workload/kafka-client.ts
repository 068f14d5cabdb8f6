import type { Network } from "../world/network.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { machineHost } from "../world/sim-transport.ts";
import { KafkaLink } from "./kafka-link.ts";
import type { ListedPartition, ListedTopic, Request, Response, TopicPartition } from "./kafka-messages.ts";
import { kafkaPort } from "./kafka-server.ts";

const requestTimeoutMs = 4_000;
const refreshBackoffMs = 80;

/** What every simulated client has: connections, and a view of the cell that it refreshes when an answer surprises it. */
export class KafkaClient {
  readonly process: SimProcess;
  readonly #network: Network;
  readonly #links = new Map<string, KafkaLink>();
  readonly #bootstrap: readonly string[];
  readonly #brokers = new Map<number, string>();
  readonly #topics = new Map<string, ListedTopic>();
  /** Highest leader epoch seen: an answer from a broker that lags must not take a client back (KIP-320). */
  readonly #newest = new Map<string, ListedPartition>();
  readonly #refreshed: (() => void)[] = [];
  #isRefreshing = false;

  constructor(network: Network, process: SimProcess, brokerMachines: readonly number[]) {
    this.#network = network;
    this.process = process;
    this.#bootstrap = brokerMachines.map((id) => `${machineHost(id)}:${kafkaPort}`);
  }

  topicByName(name: string): ListedTopic | undefined {
    return this.#topics.get(name);
  }

  get topics(): readonly ListedTopic[] {
    return [...this.#topics.values()];
  }

  leaderOf(at: TopicPartition): ListedPartition | undefined {
    return this.#newest.get(`${at.topicId}/${at.partition}`);
  }

  /** Sends to the partition's leader as far as known; DISCONNECTED when none is. */
  requestLeader(request: Request & TopicPartition, done: (response: Response) => void): void {
    const address = this.#brokers.get(this.leaderOf(request)?.leader ?? -1);
    if (address === undefined) {
      this.process.timers.after(0, () => done({ kind: "error", error: "LEADER_NOT_AVAILABLE" }));
    } else this.#link(address).request(request, requestTimeoutMs, done);
  }

  /** Sends to whatever broker answers. */
  requestAny(request: Request, done: (response: Response) => void): void {
    this.#link(this.process.random.pick(this.#bootstrap)).request(request, requestTimeoutMs, done);
  }

  /** Asks for metadata, soon; `then` is called after the next answer. */
  refresh(then: () => void = () => undefined): void {
    this.#refreshed.push(then);
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.process.timers.after(this.process.random.between(0, refreshBackoffMs), () => this.#askMetadata());
  }

  #askMetadata(): void {
    this.requestAny({ kind: "metadata" }, (response) => {
      if (response.kind !== "metadata") {
        this.process.timers.after(refreshBackoffMs, () => this.#askMetadata());
        return;
      }
      this.#learn(response);
      this.#isRefreshing = false;
      for (const then of this.#refreshed.splice(0)) then();
    });
  }

  #learn(answer: Response & { readonly kind: "metadata" }): void {
    for (const broker of answer.brokers) this.#brokers.set(broker.brokerId, `${broker.host}:${broker.port}`);
    this.#topics.clear();
    for (const topic of answer.topics) {
      this.#topics.set(topic.name, topic);
      for (const [partition, listed] of topic.partitions.entries()) {
        const key = `${topic.topicId}/${partition}`;
        const known = this.#newest.get(key);
        if (known === undefined || listed.leaderEpoch >= known.leaderEpoch) this.#newest.set(key, listed);
      }
    }
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
