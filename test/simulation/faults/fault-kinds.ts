/** Everything that a fault schedule may do. */
export const faultKinds = [
  "kill-process",
  "kill-two-processes",
  "kill-all-processes",
  /** The next broker that takes office somewhere dies at once. */
  "kill-fresh-leader",
  /** The next controller that begins an election dies in the middle of it. */
  "kill-electing-controller",
  "power-cut-machine",
  "power-cut-cell",
  "pause-process",
  /** For so long that a successor has written, and trimmed, a good part of the metadata log. */
  "pause-controller",
  "hiccup",
  "controlled-shutdown",
  /** A report of old arrives late: the controller elects although the leader is well. Always safe. */
  "needless-election",
  /** The controller loses its link to a leader, and elects, while that leader still reaches all the others. */
  "controller-loses-leader",
  "isolate-machine",
  "block-one-way",
  "block-pair",
  "slow-link",
  "reset-connections",
  "refuse-connections",
  "cut-client",
  "store-down",
  "store-hanging",
  "store-throttling",
  "store-flaky",
  "store-slow",
  "store-unreachable",
  "objects-flaky",
  "disk-slow",
  "disk-stuck",
  "disk-full",
  "disk-errors",
  "disk-wiped",
  "clock-jump",
] as const;

export type FaultKind = (typeof faultKinds)[number];
