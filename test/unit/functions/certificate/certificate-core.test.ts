import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import {
  isChanged,
  judgeCertificate,
  openExport,
  passphraseOf,
} from "../../../../functions/certificate/certificate-core.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";
import { dayMs, exportUnder, issue, names, nowMs } from "./issued-certificate.ts";

const wanted = { names, nowMs };

test("an export becomes what brokers read: the chain after the certificate, the key in the clear", async () => {
  const issued = await issue();
  const opened = openExport(exportUnder("secret", issued), "secret");
  if (opened.kind !== "opened") throw new Error(opened.why);
  const { certificate, privateKey } = opened.secret;
  expect(certificate.split("-----BEGIN CERTIFICATE-----")).toHaveLength(3);
  expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  expect(judgeCertificate(opened.secret, wanted)).toEqual({ kind: "usable", endsMs: nowMs + 100 * dayMs });
});

test("a key that does not open is refused, without a word of either", async () => {
  const exported = exportUnder("right", await issue());
  const opened = openExport(exported, "wrong");
  expect(opened.kind).toBe("refused");
  expect(JSON.stringify(opened)).not.toMatch(/right|wrong|PRIVATE/);
});

test("ACM takes the passphrase, which is another one each time", () => {
  const made = Array.from({ length: 50 }, () => passphraseOf(systemRandom.bytes(32)));
  expect(new Set(made).size).toBe(50);
  for (const each of made) expect(each).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test.each([
  [
    "the key of another certificate",
    async () => ({ ...(await issue()), privateKey: (await issue()).privateKey }),
    /another/,
  ],
  ["what has expired", () => issue({ notBeforeMs: nowMs - 9 * dayMs, notAfterMs: nowMs - 1_000 }), /expired/],
  ["what is not valid yet", () => issue({ notBeforeMs: nowMs + 1_000 }), /not valid yet/],
  [
    "a zone's names that are missing",
    () => issue({ certificateNames: ["*.kafka.example.com"] }),
    /not for \*\.eu-west-1a\.kafka\.example\.com$/,
  ],
  [
    "one name in the place of a wildcard",
    () => issue({ certificateNames: ["kafka.example.com", "*.eu-west-1a.kafka.example.com"] }),
    /not for \*\.kafka\.example\.com$/,
  ],
  [
    "what is no certificate",
    async () => ({ ...(await issue()), certificate: "-----BEGIN CERTIFICATE-----\nAAAA" }),
    /X\.509/,
  ],
  [
    "a key that is still encrypted",
    async () => {
      const issued = await issue();
      return { ...issued, privateKey: exportUnder("p", issued).encryptedKey };
    },
    /cannot be read/,
  ],
])("refuses %s", async (_what, made, why) => {
  const judged = judgeCertificate(await made(), wanted);
  expect(judged).toMatchObject({ kind: "refused", why: expect.stringMatching(why) as string });
});

test("a certificate with more names than are needed is good", async () => {
  const issued = await issue({ certificateNames: ["example.com", ...names, "*.eu-west-1b.kafka.example.com"] });
  expect(judgeCertificate(issued, wanted).kind).toBe("usable");
});

test("a change is another certificate, chain or key", async () => {
  const { certificate, privateKey } = await issue();
  const kept = { certificate, privateKey };
  expect(isChanged(kept, { ...kept })).toBe(false);
  expect(isChanged(kept, { certificate: `${certificate}\n`, privateKey })).toBe(true);
  expect(isChanged(kept, { certificate, privateKey: "other" })).toBe(true);
  expect(isChanged(undefined, kept)).toBe(true);
});
