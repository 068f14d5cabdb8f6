/**
 * What a tenant is told does not depend on what another tenant calls its things, nor on what it keeps in them; and
 * nothing that a tenant sends changes anything of another's.
 *
 * Two worlds differ in the other tenant's topic alone: its name, id, records and configuration. The same requests, made
 * from the schema tables of every API that is served, in every version, with the other's name, ids and numbers in every
 * field that can carry one, must be answered with the very same bytes in both.
 */
import { expect, test } from "vitest";
import { createRegistry } from "../../../../broker/dispatch/all-handlers.ts";
import { openRequest } from "../../../../broker/dispatch/open-request.ts";
import type { HandlerRegistry } from "../../../../broker/dispatch/registry.ts";
import { Unanswered } from "../../../../broker/handlers/context/handler.ts";
import { wireTopicId } from "../../../../broker/handlers/context/topic-ids.ts";
import type { Api } from "../../../../shared/kafka/codec/fields.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { noMetrics } from "../../../../shared/telemetry/metrics.ts";
import { finalReply } from "../../../simulation/cell/final-reply.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";
import { arbitraryRequest } from "../connection/arbitrary-request.ts";
import { GroupClient, stableMember } from "./group-client.ts";
import { type HostedTopic, InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

const mine = "lkc-aaaaa";
const others = "lkc-bbbbb";
const myTopicId = "a".repeat(32);
const theirTopicId = "b".repeat(32);
const requestsPerVersion = 12;

interface TheirThings {
  /** Of a topic, and of a group. */
  readonly name: string;
  readonly topicId: string;
  readonly value: string;
}

/** A cell with two tenants, and a client of the first. */
class World {
  readonly broker = new InMemoryBroker(mine, others);
  readonly client = new InMemoryClient(this.broker, mine);
  readonly theirs: HostedTopic;
  readonly #registry: HandlerRegistry;

  static async start(their: TheirThings): Promise<World> {
    const world = new World(their);
    await world.broker.hostGroups();
    await stableMember(world.broker, mine, "mine");
    // Without members: their sessions would end by themselves.
    await new GroupClient(world.broker, others, their.name).commit(their.value.length, { topic: their.name });
    return world;
  }

  private constructor(their: TheirThings) {
    this.#registry = createRegistry({ random: new SeededRandom("sessions"), metrics: noMetrics });
    const own = this.broker.topic(mine, "mine", 2, myTopicId);
    own.hosted[0]!.add("my record");
    this.theirs = this.broker.topic(others, their.name, 2, their.topicId);
    this.theirs.hosted[0]!.add(their.value);
    this.broker.apply({
      type: "topic-upserted",
      topicId: their.topicId,
      lkc: others,
      name: their.name,
      createdMs: 0,
      configs: { "retention.ms": `${their.value.length}` },
    });
  }

  get apis(): Api[] {
    return this.#registry.advertised().map(({ apiKey }) => this.#registry.apiByKey(apiKey) as Api);
  }

  /** The bytes of the answer, or what happens instead. */
  async answer(frame: Buffer): Promise<string> {
    const opened = openRequest(this.#registry, frame);
    if (opened.kind !== "request") return opened.kind;
    const served = opened.entry.serve(this.broker, this.client, opened.request);
    const reply = finalReply(served);
    // Long polls and waits for a quorum end at once.
    if (served instanceof Promise) await this.broker.time.advance(600_000);
    const settled = await reply;
    return settled instanceof Unanswered ? `unanswered ${settled.closes}` : Buffer.concat(settled).toString("hex");
  }

  #theirOffset(): unknown {
    const { name, topicId } = this.theirs;
    const found = this.broker.groups.offsets({ lkc: others, groupId: name });
    return found.kind === "done" ? [...(found.value?.ofTopic(topicId) ?? [])] : found.error;
  }

  /** Everything of the other tenant that could change. */
  get theirState(): string {
    const { hosted } = this.theirs;
    const image = this.broker.image();
    const topics = [...(image.topicsOf(others)?.values() ?? [])];
    const groups = [this.broker.groups.list(others, () => true), this.#theirOffset()];
    const logs = hosted.map(({ endOffset, logStart, watchers }) => [endOffset, logStart, watchers.size]);
    return JSON.stringify([topics, logs, groups]);
  }
}

/** Asks both worlds the same; gives the first request whose answers differ, or that changed the other tenant. */
async function firstLeak(seen: World, unseen: World): Promise<string | undefined> {
  const before = [seen.theirState, unseen.theirState];
  const random = new SeededRandom("tenant-isolation");
  const ingredients = {
    random,
    names: ["mine", "theirs", "theirs", others, theirTopicId, "absent"],
    uuids: [wireTopicId(myTopicId), wireTopicId(theirTopicId), wireTopicId(theirTopicId)],
    numbers: [1_000],
    records: encodeBatch({ records: [{ value: Buffer.from("v") }] }),
  };
  for (const api of seen.apis) {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      for (let n = 0; n < requestsPerVersion; n += 1) {
        const request = arbitraryRequest(api, version, ingredients).subarray(4);
        // Produce writes offsets into the request, so each world gets its own.
        const answers = [await seen.answer(Buffer.from(request)), await unseen.answer(Buffer.from(request))];
        const same = answers[0] === answers[1] && seen.theirState === before[0] && unseen.theirState === before[1];
        if (!same) return `${api.name} v${version}: ${request.toString("hex")}`;
      }
    }
  }
  return undefined;
}

const seenWorld = () => World.start({ name: "theirs", topicId: theirTopicId, value: "their record" });
const unseenWorld = () => World.start({ name: "renamed", topicId: "c".repeat(32), value: "another and longer record" });

test("no field of any request reaches into another tenant", async () => {
  expect(await firstLeak(await seenWorld(), await unseenWorld())).toBeUndefined();
});

test("the property notices a view that finds other tenants' topics, by name or by id", async () => {
  const leaky = (world: World) => {
    const { tenant } = world.client;
    const all = () => [...world.broker.image().topics.values()];
    tenant.topic = (name) => all().find((topic) => topic.name === name);
    return world;
  };
  const leakyById = (world: World) => {
    const { tenant } = world.client;
    tenant.topicById = (id) =>
      [...world.broker.image().topics.values()].find(({ topicId }) => wireTopicId(topicId) === id);
    return world;
  };
  expect(await firstLeak(leaky(await seenWorld()), leaky(await unseenWorld()))).toBeDefined();
  expect(await firstLeak(leakyById(await seenWorld()), leakyById(await unseenWorld()))).toBeDefined();
});
