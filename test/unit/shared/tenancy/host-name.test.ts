import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatHostName, type HostName, parseHostName } from "../../../../shared/tenancy/host-name.ts";
import {
  devLogicalCluster,
  formatLogicalClusterId,
  internalLogicalCluster,
  isLogicalClusterId,
} from "../../../../shared/tenancy/logical-cluster-id.ts";

const domain = "eu.balafon.example";

describe("host names", () => {
  const lkc = fc.stringMatching(/^lkc-[a-z0-9]{5,12}$/);
  const zone = fc.constantFrom("euw1-az1", "a", "use1-az4");
  const name: fc.Arbitrary<HostName> = fc.oneof(
    fc.record({ kind: fc.constant("bootstrap" as const), lkc }),
    fc.record({ kind: fc.constant("broker" as const), lkc, brokerId: fc.nat(2 ** 31 - 1), zone }),
  );

  test("what is formatted is read back, in any letter case", () => {
    fc.assert(
      fc.property(name, fc.boolean(), (meant, upper) => {
        const host = formatHostName(meant, domain);
        expect(parseHostName(upper ? host.toUpperCase() : host, domain)).toEqual(meant);
      }),
    );
  });

  test("look as the design says", () => {
    expect(formatHostName({ kind: "bootstrap", lkc: "lkc-7k2m9" }, domain)).toBe("lkc-7k2m9.eu.balafon.example");
    expect(formatHostName({ kind: "broker", lkc: "lkc-7k2m9", brokerId: 4, zone: "euw1-az1" }, domain)).toBe(
      "b4-lkc-7k2m9.euw1-az1.eu.balafon.example",
    );
  });

  test.each([
    "",
    domain,
    `.${domain}`,
    `lkc-7k2m9.${domain}.`,
    "lkc-7k2m9.other.example",
    `lkc-7k2m9x${domain}`,
    `nobody.${domain}`,
    `lkc-7k_m9.${domain}`,
    `b4-lkc-7k2m9.${domain}`,
    `lkc-7k2m9.euw1-az1.${domain}`,
    `b-lkc-7k2m9.a.${domain}`,
    `b04-lkc-7k2m9.a.${domain}`,
    `b2147483648-lkc-7k2m9.a.${domain}`,
    `b4-lkc-7k2m9.-a.${domain}`,
    `b4-lkc-7k2m9.a.b.${domain}`,
    `b4-lkc-7k2m9..${domain}`,
  ])("%s means nothing", (host) => {
    expect(parseHostName(host, domain)).toBeUndefined();
  });

  test("whatever comes in the ClientHello is read without a throw", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseHostName(`${text}.${domain}`, domain)).not.toThrow();
      }),
    );
  });
});

describe("ids of logical clusters", () => {
  test("made of random bytes, they are ids", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 16 }), (bytes) => {
        expect(isLogicalClusterId(formatLogicalClusterId(bytes))).toBe(true);
      }),
    );
    expect(() => formatLogicalClusterId(new Uint8Array(4))).toThrow("random bytes");
  });

  test("are told from other texts", () => {
    expect([internalLogicalCluster, devLogicalCluster, "lkc-7k2m9"].every(isLogicalClusterId)).toBe(true);
    for (const text of [
      "",
      "lkc-",
      "lkc-A1B2C",
      "lkc-a.b",
      "lkc-a-b",
      "7k2m9",
      `lkc-${"a".repeat(33)}`,
      " lkc-7k2m9",
    ]) {
      expect(isLogicalClusterId(text)).toBe(false);
    }
  });
});
