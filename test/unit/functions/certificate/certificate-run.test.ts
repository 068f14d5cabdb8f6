import { expect, test } from "vitest";
import type { ExportedCertificate } from "../../../../functions/certificate/certificate-core.ts";
import type { CertificateExport } from "../../../../functions/certificate/certificate-keeper.ts";
import { runCertificateKeeper } from "../../../../functions/certificate/certificate-run.ts";
import { scheduled } from "../../../../functions/middleware/scheduled.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";
import { createJsonLogger } from "../../../../shared/telemetry/logger.ts";
import { dayMs, exportUnder, type Issued, issue, names, nowMs } from "./issued-certificate.ts";

/** ACM with one certificate. */
class FakeAcm implements CertificateExport {
  readonly passphrases: string[] = [];
  issued: Issued;
  /** Answers in the place of what it has. */
  answer: ((passphrase: string) => ExportedCertificate) | undefined;

  constructor(issued: Issued) {
    this.issued = issued;
  }

  async exportCertificate(passphrase: string): Promise<ExportedCertificate> {
    this.passphrases.push(passphrase);
    return this.answer?.(passphrase) ?? exportUnder(passphrase, this.issued);
  }
}

function setUp(source: FakeAcm | undefined, secret?: string) {
  const versions: (string | undefined)[] = [secret];
  const lines: string[] = [];
  const logged: string[] = [];
  const clock = { wallMs: () => nowMs, monotonicMs: () => 0 };
  const options = {
    fleet: "prod",
    source,
    names,
    clock,
    random: systemRandom,
    write: (line: string) => void lines.push(line),
    store: {
      read: async () => versions.at(-1),
      write: async (text: string) => void versions.push(text),
    },
  };
  const handler = scheduled({
    name: "certificate-kept",
    run: () => runCertificateKeeper(options),
    logger: createJsonLogger({ clock, level: "debug", write: (line) => void logged.push(line) }, {}),
  });
  const metrics = () => JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>;
  return { options, versions, lines, logged, metrics, run: () => handler({}, {}) };
}

const secretOf = ({ certificate, chain, privateKey }: Issued) =>
  JSON.stringify({ certificate: certificate + chain, privateKey });

test("the first run fills a new secret, the next ones leave it as it is", async () => {
  const { run, versions, metrics, logged } = setUp(new FakeAcm(await issue()), "what Secrets Manager made");
  await run();
  expect(versions).toHaveLength(2);
  expect(metrics()).toMatchObject({
    Fleet: "prod",
    balafon_certificate_failures_total: 0,
    balafon_certificate_left_days: 100,
  });
  await run();
  expect(versions).toHaveLength(2);
  expect(logged.join("")).toMatch(/"kind":"renewed".*"kind":"unchanged"/s);
});

test("a renewed certificate is one version more, exported under another passphrase", async () => {
  const acm = new FakeAcm(await issue());
  const { run, versions, metrics } = setUp(acm);
  await run();
  acm.issued = await issue({ notAfterMs: nowMs + 198 * dayMs });
  await run();
  expect(versions).toHaveLength(3);
  expect(versions.at(-1)).toContain(acm.issued.certificate.split("\n")[3]);
  expect(metrics()["balafon_certificate_left_days"]).toBe(198);
  expect(new Set(acm.passphrases).size).toBe(2);
});

test("neither passphrase nor key is in a line of the log or of the metrics", async () => {
  const acm = new FakeAcm(await issue());
  const { run, lines, logged, versions } = setUp(acm);
  await run();
  acm.answer = (passphrase) => exportUnder(`${passphrase}!`, acm.issued);
  await expect(run()).rejects.toThrow("does not open with its passphrase");
  const said = [...lines, ...logged].join("");
  for (const passphrase of acm.passphrases) expect(said).not.toContain(passphrase);
  expect(said).not.toMatch(/PRIVATE KEY|BEGIN/);
  expect(versions.join("")).not.toContain(acm.passphrases[0]);
});

test.each([
  ["under another passphrase", (_: string, good: Issued) => exportUnder("another", good), "does not open"],
  [
    "with the key of another certificate",
    (passphrase: string, good: Issued, other: Issued) =>
      exportUnder(passphrase, { ...good, privateKey: other.privateKey }),
    "belongs to another certificate",
  ],
  [
    "without the names of a zone",
    (passphrase: string, _: Issued, other: Issued) => exportUnder(passphrase, other),
    "it is not for *.eu-west-1a.kafka.example.com",
  ],
])("an export %s never replaces what brokers use, and is told", async (_what, answer, why) => {
  const inUse = await issue();
  const other = await issue({ certificateNames: ["*.kafka.example.com"] });
  const acm = new FakeAcm(inUse);
  acm.answer = (passphrase) => answer(passphrase, inUse, other);
  const { run, versions, metrics } = setUp(acm, secretOf(inUse));
  await expect(run()).rejects.toThrow(why);
  expect(versions).toHaveLength(1);
  expect(metrics()).toMatchObject({ balafon_certificate_failures_total: 1, balafon_certificate_left_days: 100 });
});

test("throttling is a failed run, told with its cause; what is in the secret is still counted down", async () => {
  const acm = new FakeAcm(await issue());
  acm.answer = () => {
    throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
  };
  const { run, versions, metrics, logged } = setUp(acm, secretOf(acm.issued));
  await expect(run()).rejects.toThrow("could not be exported");
  expect(versions).toHaveLength(1);
  expect(metrics()).toMatchObject({ balafon_certificate_failures_total: 1, balafon_certificate_left_days: 100 });
  expect(logged.join("")).toContain("ThrottlingException");
  acm.answer = undefined;
  await run();
  expect(metrics()["balafon_certificate_failures_total"]).toBe(0);
});

test("a secret that cannot be read is a failure, and says nothing about days", async () => {
  const { options, lines } = setUp(new FakeAcm(await issue()));
  const store = { ...options.store, read: () => Promise.reject(new Error("access denied")) };
  await expect(runCertificateKeeper({ ...options, store })).rejects.toThrow("access denied");
  expect(lines.join("")).toContain('"balafon_certificate_failures_total":1');
  expect(lines.join("")).not.toContain("balafon_certificate_left_days");
});

test.each([
  ["a good one", async () => secretOf(await issue()), 0, 100],
  ["one that ends today", async () => secretOf(await issue({ notAfterMs: nowMs + 3_600_000 })), 0, 0],
  [
    "one that has expired",
    async () => secretOf(await issue({ notBeforeMs: nowMs - 9 * dayMs, notAfterMs: nowMs - dayMs })),
    1,
    0,
  ],
  ["none", async () => "made by Secrets Manager", 1, 0],
])("where the operator fills the secret, %s is looked at and never written", async (_what, secret, failures, days) => {
  const { run, versions, metrics } = setUp(undefined, await secret());
  await run().catch(() => undefined);
  expect(versions).toHaveLength(1);
  expect(metrics()).toMatchObject({
    balafon_certificate_failures_total: failures,
    balafon_certificate_left_days: days,
  });
});
