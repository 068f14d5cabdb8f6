/** The adapters against a server that answers as AWS does: what is asked, what is made of answers, and who tries again. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AcmCertificateExport } from "../../../../functions/certificate/acm-certificate-export.ts";
import { SecretsCertificateStore } from "../../../../functions/certificate/secrets-certificate-store.ts";

interface Answer {
  readonly status: number;
  readonly body: object;
}

let server: Server;
let answers: Answer[];
let asked: { readonly target: string; readonly body: Record<string, unknown> }[];

beforeEach(async () => {
  answers = [];
  asked = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      asked.push({ target: String(request.headers["x-amz-target"]), body });
      const answer = answers.shift() ?? { status: 500, body: {} };
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
});

afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const arn = "arn:aws:acm:us-east-1:000000000000:certificate/1";
const exported = { Certificate: "leaf", CertificateChain: "chain", PrivateKey: "encrypted" };
const throttled = { status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } };

test("exports that certificate under the passphrase, whose bytes ACM wants in base64", async () => {
  answers = [{ status: 200, body: exported }];
  expect(await new AcmCertificateExport(arn).exportCertificate("secret")).toEqual({
    certificate: "leaf",
    chain: "chain",
    encryptedKey: "encrypted",
  });
  expect(asked).toEqual([
    {
      target: "CertificateManager.ExportCertificate",
      body: { CertificateArn: arn, Passphrase: Buffer.from("secret").toString("base64") },
    },
  ]);
});

test("a throttled export is tried again", async () => {
  answers = [throttled, { status: 200, body: exported }];
  await expect(new AcmCertificateExport(arn).exportCertificate("secret")).resolves.toMatchObject({ chain: "chain" });
  expect(asked).toHaveLength(2);
});

test("a certificate that has no chain is exported without one; no key is an error", async () => {
  answers = [
    { status: 200, body: { Certificate: "leaf", PrivateKey: "encrypted" } },
    { status: 200, body: { Certificate: "leaf" } },
  ];
  const acm = new AcmCertificateExport(arn);
  expect(await acm.exportCertificate("secret")).toMatchObject({ chain: "" });
  await expect(acm.exportCertificate("secret")).rejects.toThrow("no key");
});

test("a secret without a value is read as none; what forbids it is an error", async () => {
  const store = new SecretsCertificateStore("arn:secret");
  answers = [
    { status: 400, body: { __type: "ResourceNotFoundException", Message: "no value" } },
    { status: 200, body: { SecretString: "text" } },
    { status: 400, body: { __type: "AccessDeniedException", Message: "denied" } },
    { status: 200, body: { ARN: "arn:secret" } },
  ];
  expect(await store.read()).toBeUndefined();
  expect(await store.read()).toBe("text");
  await expect(store.read()).rejects.toThrow("denied");
  await store.write("new");
  expect(asked.at(-1)).toMatchObject({
    target: "secretsmanager.PutSecretValue",
    body: { SecretId: "arn:secret", SecretString: "new" },
  });
});
