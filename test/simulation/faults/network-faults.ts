import type { Network } from "../world/network.ts";

const slowBytesPerMs = 1_000;

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

/** Slows both directions between two machines. */
export function slowLink(network: Network, one: number, two: number, extraMs: number): () => void {
  const links = [network.link(one, two), network.link(two, one)];
  const { bytesPerMs } = links[0] ?? { bytesPerMs: 0 };
  for (const link of links) {
    link.extraMs = extraMs;
    link.bytesPerMs = slowBytesPerMs;
  }
  return () => {
    for (const link of links) {
      link.extraMs = 0;
      link.bytesPerMs = bytesPerMs;
    }
  };
}
