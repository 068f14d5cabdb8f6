import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { proxyHeaderBytesMax } from "../../../../shared/proxy-protocol/limits.ts";
import {
  formatLocalHeader,
  formatProxyHeader,
  readProxyHeader,
} from "../../../../shared/proxy-protocol/proxy-header.ts";

const signature = "0d0a0d0a000d0a515549540a";
const port = fc.nat(65_535);
const v4 = fc.record({ address: fc.ipV4(), port });
/** As this code writes addresses: canonical, and never IPv4 in the guise of IPv6. */
const v6 = fc.record({
  address: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .filter((bytes) => bytes[0] !== 0)
    .map((bytes) =>
      new URL(
        `http://[${[...Array(8).keys()]
          .map((at) =>
            Buffer.from(bytes)
              .readUInt16BE(2 * at)
              .toString(16),
          )
          .join(":")}]`,
      ).hostname.slice(1, -1),
    ),
  port,
});

describe("a header", () => {
  test("is as the format says, byte for byte", () => {
    const connection = {
      source: { address: "203.0.113.7", port: 51_000 },
      destination: { address: "10.0.1.2", port: 9_092 },
    };
    expect(formatProxyHeader(connection).toString("hex")).toBe(`${signature}2111000ccb0071070a000102c7382384`);
    expect(formatLocalHeader().toString("hex")).toBe(`${signature}20000000`);
  });

  test("comes back as it was written, whatever follows, for both families", () => {
    const connection = fc.oneof(fc.record({ source: v4, destination: v4 }), fc.record({ source: v6, destination: v6 }));
    fc.assert(
      fc.property(connection, fc.uint8Array({ maxLength: 50 }), (written, rest) => {
        const header = formatProxyHeader(written);
        expect(readProxyHeader(Buffer.concat([header, rest]))).toEqual({
          kind: "proxied",
          bytes: header.length,
          connection: written,
        });
      }),
    );
  });

  test("of two families keeps both addresses", () => {
    const written = { source: { address: "198.51.100.1", port: 1 }, destination: { address: "fd00::1", port: 2 } };
    expect(readProxyHeader(formatProxyHeader(written))).toMatchObject({ connection: written });
  });

  test("passes over additions, and asks for more until they are there", () => {
    const header = Buffer.from(`${signature}21110013cb0071070a000102c738238403000441424344`, "hex");
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length))).toEqual({ kind: "more" });
    }
    expect(readProxyHeader(header)).toMatchObject({ kind: "proxied", bytes: header.length });
  });

  test("of the proxy's own connection, or of one it does not know, says nothing of a client", () => {
    expect(readProxyHeader(formatLocalHeader())).toEqual({ kind: "local", bytes: 16 });
    expect(readProxyHeader(Buffer.from(`${signature}210000020000`, "hex"))).toEqual({ kind: "local", bytes: 18 });
  });
});

test.each([
  ["TLS", "1603010200", "no-signature"],
  ["version 1", Buffer.from("PROXY TCP4 1.2.3.4").toString("hex"), "no-signature"],
  ["another version", `${signature}1111000c`, "version"],
  ["another command", `${signature}2211000c`, "command"],
  ["datagrams", `${signature}2112000c${"00".repeat(12)}`, "family"],
  ["Unix sockets", `${signature}213100d8${"00".repeat(216)}`, "family"],
  ["addresses cut short", `${signature}21110008${"00".repeat(8)}`, "length"],
  ["more than is kept", `${signature}2111${proxyHeaderBytesMax.toString(16).padStart(4, "0")}`, "length"],
])("%s is refused as soon as it shows", (_what, hex, why) => {
  expect(readProxyHeader(Buffer.from(hex, "hex"))).toEqual({ kind: "malformed", why });
});

test("any bytes end in an outcome", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const header = readProxyHeader(Buffer.concat([Buffer.from(signature, "hex"), bytes]));
      expect(["more", "proxied", "local", "malformed"]).toContain(header.kind);
    }),
  );
});
