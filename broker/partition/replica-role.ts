import type { LeaderEpoch } from "../../shared/metadata/records/record.ts";
import type { Offset } from "../log/log-contract.ts";
import type { OpenObstacle } from "../log/obstacle.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { LeaderRole } from "./leader-role.ts";

/** Following the leader of one epoch on one stream. */
export interface FollowerRole {
  readonly kind: "follower";
  readonly epoch: LeaderEpoch;
  readonly link: PeerLink;
  readonly stream: number;
  readonly endAtElection: Offset;
  reconciled: boolean;
  forceAccepted: boolean;
}

/** What a replica does at present; `Replica` draws how one becomes another. */
export type Role =
  | { readonly kind: "idle" }
  /** Named by the newest record, writing its promise and accepted epoch. */
  | {
      readonly kind: "taking-office";
      readonly epoch: LeaderEpoch;
      readonly appointment: OpenObstacle;
      /** Monotonic time; the appointment may be older, by the opening of the log. */
      readonly begunMs: number;
    }
  | { readonly kind: "leader"; readonly leader: LeaderRole }
  | FollowerRole;
