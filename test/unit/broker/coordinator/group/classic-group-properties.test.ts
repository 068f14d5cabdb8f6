/** Whatever clients, clock and log do to a group, these hold; each is something a client or its data would suffer from. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ClassicGroup } from "../../../../../broker/coordinator/group/classic-group.ts";
import type {
  Answer,
  Effects,
  GroupError,
  GroupWrite,
  UnstampedGroupValue,
} from "../../../../../broker/coordinator/group/group-contract.ts";
import { decodeGroupValue, encodeGroupValue } from "../../../../../broker/coordinator/group/group-value.ts";
import { memberHeapBytes } from "../../../../../broker/coordinator/group/limits.ts";
import { defaultConfig, joinInput, subscription, syncInput } from "./group-requests.ts";

const clientCount = 5;
const groupMaxSize = 3;
const stepsToEndMax = 1_000;

type Step =
  | { readonly kind: "join"; readonly client: number; readonly fresh: boolean; readonly topics: number }
  | { readonly kind: "sync" | "heartbeat" | "commit" | "leave" | "withdraw"; readonly client: number }
  | { readonly kind: "written" | "failed"; readonly write: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "failover" };

const client = fc.nat(clientCount - 1);
const write = fc.nat(3);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("join" as const), client, fresh: fc.boolean(), topics: fc.nat(3) }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("sync" as const), client }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("heartbeat" as const, "commit" as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("leave" as const, "withdraw" as const), client }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("written" as const), write }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("failed" as const), write }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.constantFrom(0, 500, 3_000, 11_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("failover" as const) }) },
);

interface Client {
  readonly instance: string | null;
  /** Versions before v4 join without being asked to come back. */
  readonly requireKnownMemberId: boolean;
  memberId: string;
  generationId: number;
}

/** A world of clients around one group, which checks whatever the group says. */
class CheckedGroup {
  readonly #config = { ...defaultConfig, groupMaxSize };
  #group = new ClassicGroup("g", this.#config, 0);
  #nowMs = 0;
  #ids = 0;
  /** The first two share an instance id: one is the other's replacement. */
  readonly #clients: readonly Client[] = Array.from({ length: clientCount }, (_, n) => ({
    instance: n < 2 ? "static" : null,
    requireKnownMemberId: n % 2 === 0,
    memberId: "",
    generationId: -1,
  }));
  /** With the member id under which the client asked. */
  readonly #waiting = new Map<object, { readonly client: Client; readonly memberId: string }>();
  #unsettled: GroupWrite[] = [];
  /** Newest committed value, and the writes in their order. */
  #stored: UnstampedGroupValue | undefined;
  #storedAt = -1;
  readonly #order = new Map<object, number>();
  readonly #committed = new Set<string>();
  #leaders = new Map<number, string>();
  #highest = 0;

  get stateNow(): string {
    return this.#group.state;
  }

  run(step: Step): void {
    switch (step.kind) {
      case "join":
        return this.#join(this.#client(step.client), step);
      case "sync":
        return this.#sync(this.#client(step.client));
      case "heartbeat":
        return this.#heartbeat(this.#client(step.client));
      case "commit":
        return this.#commit(this.#client(step.client));
      case "leave":
        return this.#leave(this.#client(step.client));
      case "withdraw":
        return this.#withdraw(this.#client(step.client));
      case "written":
        return this.#settle(step.write, "NONE");
      case "failed":
        return this.#settle(step.write, "NOT_ENOUGH_REPLICAS");
      case "advance":
        return this.#advance(step.ms);
      case "failover":
        return this.#failover();
    }
  }

  /** All clients fall silent: everybody is answered and the group ends, without anybody's help. */
  end(): void {
    for (let steps = 0; steps < stepsToEndMax; steps += 1) {
      if (this.#unsettled.length > 0) {
        this.#settle(0, "NONE");
        continue;
      }
      const deadlineMs = this.#group.nextDeadlineMs();
      if (deadlineMs === Number.POSITIVE_INFINITY) break;
      this.#advance(Math.max(deadlineMs - this.#nowMs, 0));
    }
    expect(this.#group.state).toBe("Empty");
    expect(this.#group.isIdle).toBe(true);
    expect(this.#group.stateBytes).toBe(0);
    expect(this.#waiting.size).toBe(0);
  }

  #join(client: Client, { fresh, topics }: { readonly fresh: boolean; readonly topics: number }): void {
    if (fresh) client.memberId = "";
    this.#ids += 1;
    const protocols = [
      { name: "range", metadata: subscription(topics === 0 ? ["t", "u"] : ["t"]) },
      { name: "sticky", metadata: subscription(["t"], `${topics}`) },
    ];
    const request = joinInput({
      memberId: client.memberId,
      newMemberId: `${client.instance ?? "m"}-${this.#ids}`,
      groupInstanceId: client.instance,
      requireKnownMemberId: client.requireKnownMemberId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      protocols: topics === 1 ? protocols.toReversed() : protocols,
      supportsSkippingAssignment: topics > 1,
    });
    this.#hear(this.#group.join(request, this.#ticket(client), this.#nowMs));
  }

  #sync(client: Client): void {
    const { memberId, generationId } = client;
    const assignments = this.#group
      .describe()
      .members.map((each) => ({ memberId: each.memberId, assignment: this.#part(each.memberId) }));
    const request = syncInput({ memberId, generationId, groupInstanceId: client.instance, assignments });
    this.#hear(this.#group.sync(request, this.#ticket(client), this.#nowMs));
  }

  /** Different every time: what is told can be traced to the record that holds it. */
  #part(memberId: string): Buffer {
    this.#ids += 1;
    return Buffer.from(`${this.#group.generationId}/${memberId}/${this.#ids}`);
  }

  #heartbeat({ memberId, generationId, instance }: Client): void {
    const { state } = this.#group;
    const isMember = this.#group.describe().members.some((each) => each.memberId === memberId);
    const error = this.#group.heartbeat({ memberId, generationId, groupInstanceId: instance }, this.#nowMs);
    if (error === "NONE") expect(isMember && (state === "Stable" || state === "CompletingRebalance")).toBe(true);
    if (!isMember) expect(["UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID"]).toContain(error);
    this.#check();
  }

  /** Only a member of the current generation commits: nobody overwrites what its successor has done. */
  #commit({ memberId, generationId, instance }: Client): void {
    const isMember = this.#group.describe().members.some((each) => each.memberId === memberId);
    const error = this.#group.validateCommit(memberId, generationId, instance, this.#nowMs);
    if (error !== "NONE") return;
    if (generationId >= 0) expect([isMember, generationId]).toEqual([true, this.#group.generationId]);
    else expect(this.#group.isEmpty).toBe(true);
  }

  #leave({ memberId, instance }: Client): void {
    const before = this.#group.memberCount;
    const outcome = this.#group.leave({ members: [{ memberId, groupInstanceId: instance }] }, this.#nowMs);
    if (outcome.members[0]?.error !== "NONE") expect(this.#group.memberCount).toBe(before);
    expect(this.#group.describe().members.some((each) => each.memberId === memberId && instance === null)).toBe(false);
    this.#hear(outcome.effects);
  }

  #withdraw(client: Client): void {
    const found = [...this.#waiting].find(([, waiting]) => waiting.client === client);
    if (found === undefined) return;
    this.#waiting.delete(found[0]);
    this.#hear(this.#group.withdraw(found[0], this.#nowMs));
  }

  #settle(index: number, error: GroupError | "NONE"): void {
    const settled = this.#unsettled[index];
    if (settled === undefined) return;
    this.#unsettled = this.#unsettled.filter((each) => each !== settled);
    if (error !== "NONE") {
      this.#hear(this.#group.writeFailed(settled.token, error, this.#nowMs));
      return;
    }
    for (const { assignment } of settled.value.members) this.#committed.add(assignment.toString());
    const order = this.#order.get(settled.token) ?? -1;
    if (order > this.#storedAt) {
      this.#storedAt = order;
      this.#stored = settled.value;
    }
    this.#hear(this.#group.written(settled.token, this.#nowMs));
  }

  #advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let ticks = 0; this.#group.nextDeadlineMs() <= endMs; ticks += 1) {
      expect(ticks, "the group asks to be called again and again").toBeLessThan(100);
      this.#nowMs = Math.max(this.#nowMs, this.#group.nextDeadlineMs());
      this.#hear(this.#group.tick(this.#nowMs));
    }
    this.#nowMs = endMs;
  }

  #failover(): void {
    if (this.#stored === undefined) return;
    const stored = decodeGroupValue(encodeGroupValue({ ...this.#stored, stateTimestampMs: 0 }));
    const waiting = [...this.#waiting.keys()];
    const { answers } = this.#group.die("NOT_COORDINATOR");
    expect(new Set(answers.map(({ ticket }) => ticket))).toEqual(new Set(waiting));
    this.#waiting.clear();
    this.#unsettled = [];
    this.#group = ClassicGroup.restore("g", stored, this.#config, this.#nowMs);
    this.#leaders = new Map();
    this.#highest = stored.generationId;
    this.#check();
  }

  #hear({ answers, write: written }: Effects): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.ticket);
      if (waiting === undefined)
        throw new Error(`answered twice, or after it was withdrawn: ${JSON.stringify(answer)}`);
      this.#waiting.delete(answer.ticket);
      this.#hearAnswer(waiting.client, waiting.memberId, answer);
    }
    if (written !== undefined) {
      this.#order.set(written.token, this.#order.size);
      this.#unsettled.push(written);
    }
    this.#check();
  }

  #hearAnswer(holder: Client, askedAs: string, answer: Answer): void {
    if (answer.kind === "sync") {
      if (answer.error !== "NONE") return;
      const told = answer.assignment.toString();
      if (told === "") return;
      expect(this.#committed.has(told), `${told} is told, and not committed`).toBe(true);
      expect(told).toMatch(new RegExp(`^${this.#group.generationId}/`));
      const owner = told.split("/")[1] ?? "";
      if (holder.instance === null) expect(owner).toBe(askedAs);
      else expect(owner).toMatch(/^static-/);
      return;
    }
    if (answer.error !== "NONE") {
      holder.memberId = answer.memberId;
      return;
    }
    holder.memberId = answer.memberId;
    holder.generationId = answer.generationId;
    expect(answer.generationId).toBe(this.#group.generationId);
    if (answer.leader !== answer.memberId || answer.skipAssignment) return;
    expect(this.#leaders.get(answer.generationId) ?? answer.memberId, "two lead").toBe(answer.memberId);
    this.#leaders.set(answer.generationId, answer.memberId);
    expect(answer.members.map(({ memberId }) => memberId)).toEqual(
      this.#group.describe().members.map(({ memberId }) => memberId),
    );
  }

  /** Of the group as it stands. */
  #check(): void {
    const { state, members } = this.#group.describe();
    expect(this.#group.generationId).toBeGreaterThanOrEqual(this.#highest);
    this.#highest = this.#group.generationId;
    // Nobody holds two tickets, and nobody waits who is no member.
    expect(this.#waiting.size).toBeLessThanOrEqual(members.length);
    if (state !== "PreparingRebalance") expect(members.length === 0).toBe(state === "Empty");
    if (state !== "PreparingRebalance") expect(members.length).toBeLessThanOrEqual(groupMaxSize);
    expect(members.filter(({ groupInstanceId }) => groupInstanceId !== null).length).toBeLessThanOrEqual(1);
    if (state === "Stable") {
      const returning = this.#unsettled.length > 0 ? 1 : 0;
      expect(this.#waiting.size).toBeLessThanOrEqual(returning);
      const held = members.map(({ assignment }) => assignment.toString()).filter((part) => part !== "");
      expect(new Set(held).size, "a part is assigned twice").toBe(held.length);
      for (const part of held) expect(this.#committed.has(part)).toBe(true);
    }
    const held = members.reduce((sum, { metadata, assignment }) => sum + metadata.length + assignment.length, 0);
    expect(this.#group.stateBytes).toBeGreaterThanOrEqual(held + members.length * memberHeapBytes);
    // Whoever waits for us, and for no record, waits for a time that comes.
    const isAwaited = members.length > 0 && this.#unsettled.length === 0;
    if (isAwaited) expect(this.#group.nextDeadlineMs()).toBeLessThan(Number.POSITIVE_INFINITY);
  }

  #ticket(client: Client): object {
    const ticket = {};
    this.#waiting.set(ticket, { client, memberId: client.memberId });
    return ticket;
  }

  #client(index: number): Client {
    return this.#clients[index] as Client;
  }
}

test("a group keeps its promises whatever happens, and ends when everybody falls silent", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120, size: "max" }), (steps) => {
      const world = new CheckedGroup();
      for (const step of steps) {
        world.run(step);
        seen.add(world.stateNow);
      }
      world.end();
    }),
    { numRuns: 300 },
  );
  // The steps above do get everywhere.
  expect(seen).toEqual(new Set(["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"]));
});
