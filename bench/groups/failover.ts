/**
 * What a member sees when its coordinator's broker dies or stops: it commits 100 times and beats ten times a second, one
 * request of each kind at a time, while somebody else asks for what is committed and must never be told less than was
 * acknowledged before it asked.
 */
import { type Cell, ensureTopic, sleep, untilInSync } from "./cell.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { coordinatorsOf, fetchOffset, GroupMember } from "./group-member.ts";
import { type Figures, freshName, range } from "./measure.ts";

const topic = "bench-failover";
const partitionsCount = 6;
const commitEveryMs = 10;
const heartbeatEveryMs = 100;
const lookEveryMs = 50;
/** A request to a stopped broker is given up after this, as in `../failures`; the Java client's default is 30 s. */
const requestMsMax = 1_500;
const healthyMs = 3_000;
const stoppedMs = 5_000;
const afterStopMs = 6_000;
/** Kafka takes a broker for dead after 9 s, and lets it register no sooner. */
const restartAfterMs = 14_000;
const afterRestartMs = 2_000;
/** Names looked up for a group whose coordinator is the wanted broker. */
const namesMax = 100;

/** The member must join again: its generation, or the member itself, is not known any more. */
const rejoinErrors: ReadonlySet<string> = new Set(["REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION"]);

export async function measureFailover(cell: Cell, fault: "kill" | "stop", broker: number): Promise<Figures> {
  await ensureTopic(cell, topic, partitionsCount);
  const { groupId, victim } = await groupOn(cell, broker);
  const steady = new SteadyMember(cell, groupId);
  await steady.start();
  await sleep(healthyMs);
  const faultMs = performance.now();
  const pid = cell.pidOf(victim);
  if (fault === "kill") {
    process.kill(pid, "SIGKILL");
    await sleep(restartAfterMs);
    await cell.restart(victim);
    await sleep(afterRestartMs);
  } else {
    process.kill(pid, "SIGSTOP");
    try {
      await sleep(stoppedMs);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await sleep(afterStopMs);
  }
  await steady.stop();
  const lost = await steady.lost();
  await untilInSync(cell, topic);
  return {
    [`${fault}, gap of commits, ms`]: longestGapMs(steady.committedAtMs, faultMs),
    [`${fault}, gap of heartbeats, ms`]: longestGapMs(steady.beatenAtMs, faultMs),
    [`${fault}, rebalances`]: steady.rebalances,
    [`${fault}, commits lost, or not seen by a reader`]: lost + steady.staleReads,
  };
}

/** A group that the broker coordinates, or another one if none of many names is its. */
async function groupOn(cell: Cell, broker: number): Promise<{ groupId: string; victim: number }> {
  const names = range(namesMax).map((index) => freshName(`failover-${index}`));
  const coordinators = [...(await coordinatorsOf(cell, names))];
  const chosen = coordinators.find(([, found]) => found.broker === broker) ?? coordinators[0];
  return { groupId: chosen?.[0] ?? "", victim: chosen?.[1].broker ?? 0 };
}

/** Longest time without a success, from just before the fault on. */
function longestGapMs(atMs: readonly number[], faultMs: number): number {
  const since = atMs.filter((ms) => ms > faultMs - 200);
  return since.reduce((longest, ms, place) => Math.max(longest, ms - (since[place - 1] ?? ms)), 0);
}

class SteadyMember {
  /** When each success came. */
  readonly committedAtMs: number[] = [];
  readonly beatenAtMs: number[] = [];
  rebalances = 0;
  staleReads = 0;
  readonly #groupId: string;
  readonly #link: CoordinatorLink;
  readonly #reader: CoordinatorLink;
  /** Its connection is the link's of the moment. */
  #member: GroupMember | undefined;
  #acknowledged = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #rejoining: Promise<void> | undefined;

  constructor(cell: Cell, groupId: string) {
    this.#groupId = groupId;
    this.#link = new CoordinatorLink(cell, groupId);
    this.#reader = new CoordinatorLink(cell, groupId);
  }

  async start(): Promise<void> {
    await this.#join();
    this.#running = Promise.all([
      this.#every(commitEveryMs, () => this.#commit()),
      this.#every(heartbeatEveryMs, () => this.#beat()),
      this.#every(lookEveryMs, () => this.#look()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#link.close();
  }

  /** Acknowledged commits that the group does not have: 0, or as many as it lies behind. */
  async lost(): Promise<number> {
    const found = await this.#fetched();
    this.#reader.close();
    return Math.max(0, this.#acknowledged - found);
  }

  async #every(periodMs: number, run: () => Promise<void>): Promise<void> {
    for (let dueMs = performance.now(); !this.#stopped; dueMs = Math.max(dueMs + periodMs, performance.now())) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      await run();
    }
  }

  async #commit(): Promise<void> {
    const offset = this.#acknowledged + 1;
    const error = await this.#ask((member) => member.commit(topic, [0], offset, requestMsMax));
    if (error !== "NONE") return;
    this.#acknowledged = offset;
    this.committedAtMs.push(performance.now());
  }

  async #beat(): Promise<void> {
    if ((await this.#ask((member) => member.heartbeat(requestMsMax))) === "NONE") {
      this.beatenAtMs.push(performance.now());
    }
  }

  async #look(): Promise<void> {
    const acknowledged = this.#acknowledged;
    const at = { groupId: this.#groupId, topic, partition: 0 };
    const found = await this.#reader.ask((connection) => fetchOffset(connection, at, requestMsMax));
    // Before the first commit nothing is there, which is told as -1.
    if (typeof found === "number" && acknowledged > 0 && found < acknowledged) this.staleReads += 1;
  }

  async #fetched(): Promise<number> {
    const at = { groupId: this.#groupId, topic, partition: 0 };
    for (;;) {
      const found = await this.#reader.ask((connection) => fetchOffset(connection, at, requestMsMax));
      if (typeof found === "number") return found;
    }
  }

  async #ask(run: (member: GroupMember) => Promise<string>): Promise<string | undefined> {
    await this.#rejoining;
    const answer = await this.#link.ask((connection) => {
      const member = this.#member as GroupMember;
      member.connection = connection;
      return run(member);
    });
    if (answer === undefined || !rejoinErrors.has(answer) || this.#stopped) return answer;
    if (this.#rejoining === undefined) {
      this.rebalances += 1;
      this.#rejoining = this.#join().finally(() => {
        this.#rejoining = undefined;
      });
    }
    await this.#rejoining;
    return answer;
  }

  /** A member of its own again; the only one of its group, so that it is the leader. */
  async #join(): Promise<void> {
    for (let joined = false; !joined && !this.#stopped; ) {
      const outcome = await this.#link.ask(async (connection) => {
        const member = new GroupMember(this.#groupId, connection);
        await member.joinAlone(topic, partitionsCount);
        this.#member = member;
        return "NONE";
      });
      joined = outcome === "NONE";
    }
  }
}
