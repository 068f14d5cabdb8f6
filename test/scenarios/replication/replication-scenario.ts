/**
 * One partition on real replicas, driven command by command. The script plays the network, the disks, the metadata log and
 * the controller; nothing moves by itself.
 *
 *   cell voters=1,2,3 [spares=4] [min-insync=2]   brokers with links to one another; record 1 names the first voter
 *   read [B ...]            those brokers (all that live) read the newest record
 *   produce B v ...         a client produces values with acks=all
 *   fetch B                 what a consumer is served
 *   deliver [F T] [count=N] messages arrive, from F to T or all, until none is left
 *   in-flight               what is on the way
 *   cut A B / join A B      the link breaks (what is on the way is lost) / a new one opens
 *   hold-disk B / release-disk B     no call for its log ends / all do
 *   crash B / restart B     the process dies with what is not written / starts again on its disk
 *   wipe B                  the disk of a dead broker is lost
 *   seal B ...              a controller seals for the next epoch, and keeps the answers
 *   elect [preferred=B]     it chooses a leader from the answers, and appends the record
 *   change voters=.. outgoing=.. learners=.. lost=..     another record
 *   heartbeats              go both ways on every link
 *   advance MS              time passes
 *   status                  every replica
 */
import {
  chooseLeader,
  electedState,
  electionEpoch,
  type SealedAnswer,
} from "../../../broker/controller/election-core.ts";
import { soundRules } from "../../../broker/replication/replication-rules.ts";
import type { PartitionState } from "../../../shared/metadata/records/record.ts";
import type { ScriptCommand } from "../script.ts";
import { ScenarioBroker, ScenarioDisk } from "./scenario-broker.ts";
import { ScenarioNetwork } from "./scenario-network.ts";
import { ScenarioTime } from "./scenario-time.ts";

const messagesMax = 1_000;

export class ReplicationScenario {
  readonly #time = new ScenarioTime();
  readonly #network = new ScenarioNetwork(this.#time);
  readonly #disks = new Map<number, ScenarioDisk>();
  readonly #brokers = new Map<number, ScenarioBroker>();
  #minInsyncReplicas = 1;
  #record: PartitionState | undefined;
  #answers: SealedAnswer[] = [];
  #told: string[] = [];

  /** What the command itself prints, then what happened because of it. */
  async run(command: ScriptCommand): Promise<readonly string[]> {
    const handler = this.#handlers[command.name];
    if (handler === undefined) throw new Error(`there is no command ${command.name}`);
    const printed = await handler(command);
    await this.#time.settle();
    return [...printed, ...this.#told.splice(0)];
  }

  readonly #handlers: Readonly<
    Record<string, (command: ScriptCommand) => readonly string[] | Promise<readonly string[]>>
  > = {
    cell: (command) => this.#cell(command),
    read: (command) => this.#read(command),
    produce: ({ words: [broker, ...values] }) => values.map((value) => this.#broker(broker).produce(value)),
    fetch: async ({ words }) => [await this.#broker(words[0]).fetch()],
    deliver: (command) => this.#deliver(command),
    "in-flight": () => this.#network.describe(),
    cut: ({ words: [a, b] }) => this.#silently(() => this.#network.disconnect(this.#broker(a), this.#broker(b))),
    join: ({ words: [a, b] }) => this.#silently(() => this.#network.connect(this.#broker(a), this.#broker(b))),
    "hold-disk": ({ words }) => this.#silently(() => this.#disk(Number(words[0])).hold()),
    "release-disk": ({ words }) => this.#silently(() => this.#disk(Number(words[0])).release()),
    crash: ({ words }) => this.#crash(Number(words[0])),
    restart: ({ words }) => this.#restart(Number(words[0])),
    wipe: ({ words }) => this.#silently(() => this.#disks.set(Number(words[0]), new ScenarioDisk())),
    seal: (command) => this.#seal(command),
    elect: (command) => this.#elect(command),
    change: (command) => this.#change(command),
    heartbeats: () => this.#silently(() => this.#network.heartbeats()),
    advance: async ({ words }) => {
      await this.#time.advance(Number(words[0]));
      return [];
    },
    status: () => this.#status(),
  };

  async #cell({ options }: ScriptCommand): Promise<readonly string[]> {
    const voters = numbers(options.get("voters"));
    this.#minInsyncReplicas = Number(options.get("min-insync") ?? 1);
    this.#record = {
      partition: 0,
      partitionEpoch: 1,
      voters,
      outgoing: [],
      learners: [],
      lost: [],
      leader: voters[0] ?? 0,
      leaderEpoch: 1,
      intendedEpoch: 1,
      logStartOffset: 0,
    };
    for (const id of [...voters, ...numbers(options.get("spares"))]) {
      this.#disks.set(id, new ScenarioDisk());
      await this.#start(id);
    }
    return [describeRecord(this.#newest())];
  }

  async #start(id: number): Promise<void> {
    const ports = {
      time: this.#time,
      network: this.#network,
      minInsyncReplicas: this.#minInsyncReplicas,
      tell: (line: string) => void this.#told.push(line),
    };
    const others = [...this.#brokers.values()].filter((other) => other.id !== id && !other.isDead);
    const broker = await ScenarioBroker.start(id, this.#disk(id).disk, this.#newest(), ports);
    this.#brokers.set(id, broker);
    for (const other of others) this.#network.connect(other, broker);
  }

  #crash(id: number): readonly string[] {
    const broker = this.#broker(id);
    broker.die();
    this.#disk(id).disk.crash({ keepUnsynced: "all" });
    this.#disk(id).release();
    for (const other of this.#brokers.values()) if (other !== broker) this.#network.disconnect(broker, other);
    return [];
  }

  async #restart(id: number): Promise<readonly string[]> {
    await this.#start(id);
    return [];
  }

  #read({ words }: ScriptCommand): readonly string[] {
    const readers = words.length === 0 ? this.#living() : words.map((word) => this.#broker(word));
    for (const broker of readers) broker.apply(this.#newest());
    return [`${readers.map(({ id }) => id).join(", ")} read ${describeRecord(this.#newest())}`];
  }

  async #deliver({ words: [from, to], options }: ScriptCommand): Promise<readonly string[]> {
    const lines: string[] = [];
    const count = Number(options.get("count") ?? messagesMax);
    await this.#time.settle();
    for (let n = 0; n < count; n++) {
      const delivered = this.#network.deliverNext(
        from === undefined ? undefined : Number(from),
        to === undefined ? undefined : Number(to),
      );
      if (delivered === undefined) return lines;
      await this.#time.settle();
      lines.push(...delivered, ...this.#told.splice(0).map((line) => `    ${line}`));
    }
    if (count === messagesMax) throw new Error(`after ${messagesMax} messages there are still more`);
    return lines;
  }

  async #seal({ words }: ScriptCommand): Promise<readonly string[]> {
    const epoch = electionEpoch(this.#newest());
    const lines: string[] = [];
    for (const word of words) {
      const broker = this.#broker(word);
      const answer = await broker.seal(epoch);
      if (answer.kind !== "sealed") {
        lines.push(
          `${broker.id} ${answer.kind === "failed" ? "fails" : `refuses: it promised ${answer.promisedEpoch}`}`,
        );
        continue;
      }
      const { acceptedEpoch, endOffset, logStartOffset, lost } = answer;
      this.#answers.push({ broker: broker.id, acceptedEpoch, endOffset, logStartOffset, lost });
      const vote = lost ? ", but its data may be lost" : "";
      lines.push(`${broker.id} is sealed for ${epoch}: accepted ${acceptedEpoch}, holds ${endOffset}${vote}`);
    }
    return lines;
  }

  #elect({ options }: ScriptCommand): readonly string[] {
    const record = this.#newest();
    const preferred = options.get("preferred");
    const choice = chooseLeader(record, this.#answers, {
      rules: soundRules,
      view: { isDraining: () => false, isConnected: () => true },
      preferred: preferred === undefined ? undefined : Number(preferred),
      recover: undefined,
    });
    if (choice === undefined) return ["nobody is elected: no quorum answered"];
    return this.#append(electedState(record, choice));
  }

  #change({ options }: ScriptCommand): readonly string[] {
    const record = this.#newest();
    const list = (name: "voters" | "outgoing" | "learners" | "lost") =>
      options.has(name) ? numbers(options.get(name)) : record[name];
    return this.#append({
      ...record,
      partitionEpoch: record.partitionEpoch + 1,
      voters: list("voters"),
      outgoing: list("outgoing"),
      learners: list("learners"),
      lost: list("lost"),
    });
  }

  /** A newer record voids what was gathered under the older one. */
  #append(record: PartitionState): readonly string[] {
    this.#record = record;
    this.#answers = [];
    return [describeRecord(record)];
  }

  async #status(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const broker of this.#brokers.values())
      lines.push(broker.isDead ? `${broker.id}: down` : await broker.describe());
    return lines;
  }

  #silently(run: () => void): readonly string[] {
    run();
    return [];
  }

  #newest(): PartitionState {
    if (this.#record === undefined) throw new Error("the script begins with `cell`");
    return this.#record;
  }

  #living(): ScenarioBroker[] {
    return [...this.#brokers.values()].filter(({ isDead }) => !isDead);
  }

  #disk(id: number): ScenarioDisk {
    const disk = this.#disks.get(id);
    if (disk === undefined) throw new Error(`there is no broker ${id}`);
    return disk;
  }

  #broker(id: string | number | undefined): ScenarioBroker {
    const broker = this.#brokers.get(Number(id));
    if (broker === undefined) throw new Error(`there is no broker ${id}`);
    return broker;
  }
}

function numbers(list: string | undefined): number[] {
  return list === undefined || list === "" ? [] : list.split(",").map(Number);
}

function describeRecord(record: PartitionState): string {
  const { partitionEpoch, leader, leaderEpoch, voters, outgoing, learners, lost } = record;
  const sets = Object.entries({ outgoing, learners, lost })
    .filter(([, members]) => members.length > 0)
    .map(([name, members]) => `, ${name} ${members.join(" ")}`);
  return `record ${partitionEpoch}: leader ${leader} of epoch ${leaderEpoch}, voters ${voters.join(" ")}${sets.join("")}`;
}
