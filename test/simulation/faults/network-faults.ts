import type { Network } from "../world/network.ts";

/** Blocks these directions; returns what unblocks them. */
export function blockLink(network: Network, directions: readonly (readonly [number, number])[]): () => void {
  for (const [from, to] of directions) network.block(from, to);
  return () => {
    for (const [from, to] of directions) network.unblock(from, to);
  };
}

/** Cuts one machine off from the others of its cell; clients and stores still reach it. */
export function isolate(network: Network, machineId: number, all: readonly number[]): () => void {
  const others = all.filter((other) => other !== machineId);
  return blockLink(
    network,
    others.flatMap((other) => [
      [machineId, other],
      [other, machineId],
    ]),
  );
}

export function slowLink(network: Network, from: number, to: number, extraMs: number): () => void {
  const link = network.link(from, to);
  link.extraMs = extraMs;
  const { bytesPerMs } = link;
  link.bytesPerMs = 1_000;
  return () => {
    link.extraMs = 0;
    link.bytesPerMs = bytesPerMs;
  };
}
