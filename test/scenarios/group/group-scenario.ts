/**
 * One classic group, driven command by command. The script plays its clients, the log and the clock; nothing moves by
 * itself. Clients are named by a word, and remember the member id and generation that they were told.
 *
 *   group [CONFIG=V ...]        a new group; configurations by Kafka's names
 *   reconfigure [CONFIG=V ...]  they change
 *   join C [v=9] [instance=I] [session=MS] [rebalance=MS] [type=T] [protocols=range:t+u,sticky:t] [id=M]
 *                               JoinGroup; what is given is remembered for the next join. `id=new` forgets the member id
 *   sync C [D=A ...]            SyncGroup, with assignments by the names of clients; `protocol=P` is checked
 *   heartbeat C / commit C      in the generation that it knows, or `generation=G`
 *   leave C ... [instance=I]    LeaveGroup
 *   disconnect C                its connection ends while it waits
 *   advance MS                  time passes, and what is due is done
 *   room BYTES                  how much larger the group may become with a join or sync from now on
 *   written [N] / failed E [N]  the outcome of write N, or of the newest
 *   failover                    another broker reads what was written last
 *   die E                       the shard loses its office
 *   state                       what DescribeGroups says
 */
import { ClassicGroup } from "../../../broker/coordinator/group/classic-group.ts";
import { subscribedTopicsOf } from "../../../broker/coordinator/group/consumer-subscription.ts";
import { groupConfigOf } from "../../../broker/coordinator/group/group-config.ts";
import type {
  Answer,
  Effects,
  GroupConfig,
  GroupError,
  GroupProtocol,
  GroupWrite,
} from "../../../broker/coordinator/group/group-contract.ts";
import { decodeGroupValue, encodeGroupValue, stampGroupValue } from "../../../broker/coordinator/group/group-value.ts";
import { parseCellConfigs } from "../../../shared/metadata/configs/topic-configs.ts";
import { subscription } from "../../unit/broker/coordinator/group/group-requests.ts";
import type { ScriptCommand } from "../script.ts";

class ScenarioClient {
  readonly name: string;
  memberId = "";
  generationId = -1;
  readonly told = new Map<string, string>();

  constructor(name: string) {
    this.name = name;
  }

  get instance(): string | null {
    return this.told.get("instance") ?? null;
  }
}

interface Waiting {
  readonly client: ScenarioClient;
  readonly kind: "join" | "sync";
}

const ticksMax = 1_000;

export class GroupScenario {
  #group = new ClassicGroup("g", configOf(new Map()), 0);
  #config = configOf(new Map());
  #nowMs = 0;
  #roomBytes = Number.POSITIVE_INFINITY;
  readonly #clients = new Map<string, ScenarioClient>();
  readonly #waiting = new Map<object, Waiting>();
  readonly #writes: GroupWrite[] = [];
  /** Member ids made so far, by what they begin with. */
  readonly #ids = new Map<string, number>();
  /** What a broker reads that takes over. */
  #stored: Buffer | undefined;

  readonly #handlers: Readonly<Record<string, (command: ScriptCommand) => readonly string[]>> = {
    group: ({ options }) => {
      this.#config = configOf(options);
      this.#group = new ClassicGroup("g", this.#config, this.#nowMs);
      return [];
    },
    reconfigure: ({ options }) => {
      this.#config = configOf(options);
      this.#group.reconfigure(this.#config);
      return [];
    },
    join: (command) => this.#join(command),
    sync: (command) => this.#sync(command),
    heartbeat: ({ words, options }) => {
      const client = this.#client(words[0]);
      const { memberId, instance } = client;
      const generationId = Number(options.get("generation") ?? client.generationId);
      return [this.#group.heartbeat({ memberId, groupInstanceId: instance, generationId }, this.#nowMs)];
    },
    commit: ({ words, options }) => {
      const client = this.#client(words[0]);
      const generationId = Number(options.get("generation") ?? client.generationId);
      return [this.#group.validateCommit(client.memberId, generationId, client.instance, this.#nowMs)];
    },
    leave: (command) => this.#leave(command),
    disconnect: ({ words }) => {
      const found = [...this.#waiting].find(([, { client }]) => client.name === words[0]);
      if (found === undefined) throw new Error(`${words[0]} waits for nothing`);
      this.#waiting.delete(found[0]);
      return this.#tell(this.#group.withdraw(found[0], this.#nowMs));
    },
    advance: ({ words }) => this.#advance(Number(words[0])),
    room: ({ words }) => {
      this.#roomBytes = Number(words[0]);
      return [];
    },
    written: ({ words }) => {
      const write = this.#writeNamed(words[0]);
      this.#stored = encodeGroupValue(stampGroupValue(write.value, this.#nowMs));
      return this.#tell(this.#group.written(write.token, this.#nowMs));
    },
    failed: ({ words }) =>
      this.#tell(this.#group.writeFailed(this.#writeNamed(words[1]).token, words[0] as GroupError, this.#nowMs)),
    failover: () => {
      if (this.#stored === undefined) throw new Error("nothing was written");
      const value = decodeGroupValue(this.#stored);
      this.#waiting.clear();
      const ageMs = this.#nowMs - value.stateTimestampMs;
      this.#group = ClassicGroup.restore("g", value, this.#config, this.#nowMs, ageMs);
      return this.#state();
    },
    die: ({ words }) => this.#tell(this.#group.die(words[0] as GroupError)),
    state: () => this.#state(),
  };

  async run(command: ScriptCommand): Promise<readonly string[]> {
    const handler = this.#handlers[command.name];
    if (handler === undefined) throw new Error(`there is no command ${command.name}`);
    return handler(command);
  }

  #join({ words, options }: ScriptCommand): readonly string[] {
    const client = this.#client(words[0]);
    if (options.get("id") === "new") client.memberId = "";
    else client.memberId = options.get("id") ?? client.memberId;
    for (const [name, value] of options) if (name !== "id") client.told.set(name, value);
    const { told, instance } = client;
    const version = Number(told.get("v") ?? 9);
    const type = told.get("type") ?? "consumer";
    const sessionTimeoutMs = Number(told.get("session") ?? 45_000);
    const ticket = this.#ticket(client, "join");
    const prefix = instance ?? client.name;
    if (client.memberId === "") this.#ids.set(prefix, (this.#ids.get(prefix) ?? 0) + 1);
    const request = {
      memberId: client.memberId,
      newMemberId: `${prefix}-${this.#ids.get(prefix) ?? 0}`,
      groupInstanceId: instance,
      clientId: client.name,
      clientHost: "/10.0.0.1",
      sessionTimeoutMs,
      rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : Number(told.get("rebalance") ?? 300_000),
      protocolType: type,
      protocols: protocolsOf(told.get("protocols") ?? "range:t", type),
      requireKnownMemberId: version >= 4,
      supportsSkippingAssignment: version >= 9,
    };
    return this.#tell(this.#group.join(request, ticket, this.#nowMs, this.#roomBytes));
  }

  #sync({ words, options }: ScriptCommand): readonly string[] {
    const client = this.#client(words[0]);
    const { memberId, generationId, instance } = client;
    const assignments = [...options]
      .filter(([name]) => name !== "protocol" && name !== "generation")
      .map(([name, bytes]) => ({ memberId: this.#client(name).memberId, assignment: Buffer.from(bytes) }));
    const request = {
      memberId,
      groupInstanceId: instance,
      generationId: Number(options.get("generation") ?? generationId),
      protocolType: null,
      protocolName: options.get("protocol") ?? null,
      assignments,
    };
    return this.#tell(this.#group.sync(request, this.#ticket(client, "sync"), this.#nowMs, this.#roomBytes));
  }

  #leave({ words, options }: ScriptCommand): readonly string[] {
    const members = words.map((word) => {
      const { memberId, instance } = this.#client(word);
      return { memberId, groupInstanceId: instance };
    });
    const instance = options.get("instance");
    if (instance !== undefined) members.push({ memberId: "", groupInstanceId: instance });
    const outcome = this.#group.leave({ members }, this.#nowMs);
    const lines = outcome.members.map(
      ({ memberId, groupInstanceId, error }) => `${memberId || groupInstanceId || "nobody"} leaves: ${error}`,
    );
    return [...lines, ...this.#tell(outcome.effects)];
  }

  #advance(ms: number): readonly string[] {
    const endMs = this.#nowMs + ms;
    const lines: string[] = [];
    for (let ticks = 0; this.#group.nextDeadlineMs() <= endMs; ticks++) {
      if (ticks === ticksMax) throw new Error(`more than ${ticksMax} ticks`);
      this.#nowMs = Math.max(this.#nowMs, this.#group.nextDeadlineMs());
      const before = this.#group.state;
      const told = this.#tell(this.#group.tick(this.#nowMs));
      const changed = this.#group.state === before ? [] : [`now ${this.#group.state}`];
      lines.push(...[...changed, ...told].map((line) => `at ${this.#nowMs}: ${line}`));
    }
    this.#nowMs = endMs;
    return lines;
  }

  #tell({ answers, write }: Effects): readonly string[] {
    const lines = answers.map((answer) => this.#hear(answer));
    if (write === undefined) return lines;
    this.#writes.push(write);
    const { generationId, protocolName, leader, members } = write.value;
    const shown = members.map(({ memberId, assignment }) => `${memberId}=${assignment.toString()}`);
    const what = members.length === 0 ? "empty" : `${protocolName}, leader ${leader}, ${shown.join(" ")}`;
    return [...lines, `write ${this.#writes.length}: generation ${generationId}, ${what}`];
  }

  /** What the client makes of its answer, and how that is printed. */
  #hear(answer: Answer): string {
    const waiting = this.#waiting.get(answer.ticket);
    if (waiting === undefined) throw new Error("a ticket was answered that nobody waits with");
    this.#waiting.delete(answer.ticket);
    const { client } = waiting;
    if (answer.kind !== waiting.kind) throw new Error(`${client.name} waits for ${waiting.kind}`);
    if (answer.kind === "sync") {
      return answer.error === "NONE"
        ? `${client.name} synced: ${answer.assignment.toString() || "nothing"}`
        : `${client.name} sync refused: ${answer.error}`;
    }
    if (answer.error !== "NONE") {
      if (answer.error === "MEMBER_ID_REQUIRED" || answer.memberId === "") client.memberId = answer.memberId;
      return `${client.name} join refused: ${answer.error}${answer.memberId === "" ? "" : `, id ${answer.memberId}`}`;
    }
    client.memberId = answer.memberId;
    client.generationId = answer.generationId;
    const { generationId, protocolName, leader, members, skipAssignment } = answer;
    const told = members.map(({ memberId, metadata }) => `${memberId}(${showMetadata(metadata)})`).join(" ");
    const leads = members.length === 0 ? "" : `; of ${told}${skipAssignment ? ", skips assignment" : ""}`;
    return `${client.name} joined as ${answer.memberId}: generation ${generationId}, ${protocolName}, leader ${leader}${leads}`;
  }

  #state(): readonly string[] {
    const { state, protocolType, protocol, members } = this.#group.describe();
    const topics = this.#group.subscribedTopics();
    const subscribed = topics === undefined ? "" : `, subscribed to ${[...topics].join("+") || "nothing"}`;
    const waiting = (name: string) => {
      const kinds = [...this.#waiting.values()].filter(({ client }) => client.name === name).map(({ kind }) => kind);
      return kinds.length === 0 ? "" : ` waits for ${kinds.join(" and ")}`;
    };
    return [
      `${state}, generation ${this.#group.generationId}, ${protocolType || "no type"} ${protocol || "no protocol"}${subscribed}`,
      ...members.map(
        ({ memberId, clientId, metadata, assignment }) =>
          `  ${memberId} (${showMetadata(metadata)}): ${assignment.toString() || "nothing"}${waiting(clientId)}`,
      ),
    ];
  }

  #ticket(client: ScenarioClient, kind: "join" | "sync"): object {
    const ticket = {};
    this.#waiting.set(ticket, { client, kind });
    return ticket;
  }

  #writeNamed(number: string | undefined): GroupWrite {
    const write = number === undefined ? this.#writes.at(-1) : this.#writes[Number(number) - 1];
    if (write === undefined) throw new Error(`there is no write ${number ?? ""}`);
    return write;
  }

  #client(name = ""): ScenarioClient {
    const client = this.#clients.get(name) ?? new ScenarioClient(name);
    this.#clients.set(name, client);
    return client;
  }
}

function configOf(options: ReadonlyMap<string, string>): GroupConfig {
  return groupConfigOf(parseCellConfigs(Object.fromEntries(options)));
}

/** `range:t+u,sticky:t`: assignors and the topics subscribed to; other protocol types have text instead of topics. */
function protocolsOf(text: string, type: string): readonly GroupProtocol[] {
  return text.split(",").map((word) => {
    const [name = "", said = ""] = word.split(":");
    return { name, metadata: type === "consumer" ? subscription(said.split("+")) : Buffer.from(said) };
  });
}

function showMetadata(metadata: Buffer): string {
  return subscribedTopicsOf(metadata)?.join("+") ?? metadata.toString();
}
