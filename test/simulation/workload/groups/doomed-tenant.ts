import { heartbeat } from "../../../../shared/kafka/schema/heartbeat.ts";
import { joinGroup } from "../../../../shared/kafka/schema/join-group.ts";
import { offsetCommit } from "../../../../shared/kafka/schema/offset-commit.ts";
import { syncGroup } from "../../../../shared/kafka/schema/sync-group.ts";
import { consumerProtocol, subscription } from "./assignments.ts";
import type { GroupLink } from "./group-link.ts";
import type { GroupTopic } from "./group-plan.ts";

const gapMs = 60;
const sessionTimeoutMs = 3_000;
/** Versions in which a member is given its id and is in at once, and a commit needs no member. */
const joinVersion = 2;
const commitVersion = 7;

/**
 * One client of a tenant that is deleted in the middle of it: a member of one group, which also commits by hand to others,
 * under the names that other tenants use too. Whatever it is answered is right; what is left of it in the end is not.
 */
export class DoomedTenant {
  readonly #link: GroupLink;
  readonly #topic: GroupTopic;
  /** The first one has a member. */
  readonly #groupIds: readonly [string, ...string[]];
  #memberId = "";
  #generation = -1;
  #position = 0;
  #isStopped = false;
  /** Commits that were acknowledged. */
  committed = 0;
  /** Its group was stored with a member. */
  hasJoined = false;

  constructor(options: {
    readonly link: GroupLink;
    readonly topic: GroupTopic;
    readonly groupIds: readonly [string, ...string[]];
  }) {
    this.#link = options.link;
    this.#topic = options.topic;
    this.#groupIds = options.groupIds;
  }

  async run(): Promise<void> {
    const { random } = this.#link.process;
    while (!this.#isStopped) {
      await this.#link.pause(random.exponential(gapMs));
      if (this.#generation < 0) await this.#join();
      else if (random.chance(0.2)) await this.#heartbeat();
      // Not waited for: some are under way whenever its end comes.
      void this.#commit(random.pick(this.#groupIds));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #join(): Promise<void> {
    const [groupId] = this.#groupIds;
    const address = await this.#link.coordinatorOf(groupId);
    if (address === undefined) return;
    const joined = await this.#link.ask(
      joinGroup,
      joinVersion,
      {
        groupId,
        memberId: this.#memberId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: sessionTimeoutMs,
        protocolType: "consumer",
        protocols: [{ name: consumerProtocol, metadata: subscription([this.#topic.name], "") }],
      },
      { address },
    );
    if (joined.kind === "lost" || joined.body.errorCode !== 0) return this.#beginAnew(groupId);
    const { memberId, generationId } = joined.body;
    this.#memberId = memberId;
    const assignments = [{ memberId, assignment: Buffer.from("all of it") }];
    const body = { groupId, memberId, generationId, assignments };
    const synced = await this.#link.ask(syncGroup, 1, body, { address });
    if (synced.kind === "lost" || synced.body.errorCode !== 0) return this.#beginAnew(groupId);
    this.#generation = generationId;
    this.hasJoined = true;
  }

  async #heartbeat(): Promise<void> {
    const [groupId] = this.#groupIds;
    const address = await this.#link.coordinatorOf(groupId);
    if (address === undefined) return;
    const body = { groupId, memberId: this.#memberId, generationId: this.#generation };
    const told = await this.#link.ask(heartbeat, 1, body, { address });
    if (told.kind === "lost" || told.body.errorCode !== 0) this.#beginAnew(groupId);
  }

  #beginAnew(groupId: string): void {
    this.#link.forgetCoordinator(groupId);
    this.#memberId = "";
    this.#generation = -1;
  }

  async #commit(groupId: string): Promise<void> {
    const address = await this.#link.coordinatorOf(groupId);
    if (address === undefined) return;
    const { name, partitions } = this.#topic;
    this.#position += 1;
    const isMember = groupId === this.#groupIds[0];
    const told = await this.#link.ask(
      offsetCommit,
      commitVersion,
      {
        groupId,
        generationIdOrMemberEpoch: isMember ? this.#generation : -1,
        memberId: isMember ? this.#memberId : "",
        topics: [
          {
            name,
            partitions: [
              {
                partitionIndex: this.#position % partitions,
                committedOffset: this.#position,
                committedMetadata: null,
              },
            ],
          },
        ],
      },
      { address },
    );
    if (told.kind === "lost") this.#link.forgetCoordinator(groupId);
    else if (told.body.topics[0]?.partitions[0]?.errorCode === 0) this.committed += 1;
  }
}
