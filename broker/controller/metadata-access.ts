import type { Decide } from "../../shared/metadata/commands/decision.ts";
import type { MetadataFollower } from "../../shared/metadata/follower/metadata-follower.ts";
import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { MetadataSeq } from "../../shared/metadata/records/record.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import { encodeMetadataEntry } from "../peer/peer-messages.ts";
import { storeUnconfirmedMsMax } from "./limits.ts";

export type ProposalResult<R> =
  /** Decided against the newest image, appended (if there was something to append) and applied here. */
  | { readonly kind: "done"; readonly seq: MetadataSeq; readonly reply: R }
  | { readonly kind: "failed"; readonly reason: string };

/** The metadata log as a broker uses it: whoever appends an entry also pushes it to the peers, so nobody waits for a poll. */
export class MetadataAccess {
  readonly follower: MetadataFollower;
  readonly #links: () => readonly PeerLink[];
  #pushedSeq = 0;

  constructor(follower: MetadataFollower, links: () => readonly PeerLink[]) {
    this.follower = follower;
    this.#links = links;
  }

  get image(): MetadataImage {
    return this.follower.image;
  }

  /** False after the store failed for a while, until it answered again. */
  get storeReachable(): boolean {
    const unconfirmedMs = this.follower.unconfirmedMs;
    return unconfirmedMs !== undefined && unconfirmedMs < storeUnconfirmedMsMax;
  }

  /** `decide` is pure; it runs again after every lost race, against the image that won. */
  async propose<R>(decide: Decide<R>): Promise<ProposalResult<R>> {
    const result = await this.follower.propose(decide);
    switch (result.kind) {
      case "done":
        if (result.seq > this.#pushedSeq) {
          this.#pushedSeq = result.seq;
          const message = encodeMetadataEntry(result.seq, result.entryBytes);
          for (const link of this.#links()) link.sendRaw(message);
        }
        return { kind: "done", seq: result.seq, reply: result.reply };
      case "refused":
        return { kind: "done", seq: this.image.seq, reply: result.reply };
      case "failed":
        return { kind: "failed", reason: `${result.reason}: ${result.message}` };
    }
  }

  /** Snapshots and trims if it is time. */
  async maintain(): Promise<void> {
    await this.follower.maintain();
  }
}
