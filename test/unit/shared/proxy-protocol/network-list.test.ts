import { expect, test } from "vitest";
import { readNetworks } from "../../../../shared/proxy-protocol/network-list.ts";

function includes(networks: readonly string[], address: string): boolean | string {
  const read = readNetworks(networks);
  return read.kind === "networks" ? read.list.includes(address) : read.problems.join();
}

test.each([
  [["10.1.0.0/16"], "10.1.255.9", true],
  [["10.1.0.0/16"], "10.2.0.1", false],
  [["10.1.0.0/16"], "::ffff:10.1.2.3", true],
  [["192.0.2.7"], "192.0.2.7", true],
  [["192.0.2.7"], "192.0.2.8", false],
  [["fd00:1::/32", "10.0.0.0/8"], "fd00:1:2::3", true],
  [["fd00:1::/32"], "fd00:2::1", false],
  [["0.0.0.0/0"], "8.8.8.8", true],
  [[], "127.0.0.1", false],
  [["0.0.0.0/0"], "", false],
])("%j and %s: %s", (networks, address, expected) => {
  expect(includes(networks, address)).toBe(expected);
});

test.each(["10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/8/8", "10.0.0.0/", "localhost", "10.0.0.0/-1"])(
  "%s is no network",
  (text) => expect(readNetworks([text])).toMatchObject({ kind: "invalid", problems: [expect.stringContaining(text)] }),
);
