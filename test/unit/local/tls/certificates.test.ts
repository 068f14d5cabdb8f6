import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureCertificates } from "../../../../local/tls/certificates.ts";

const dayMs = 86_400_000;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "balafon-tls-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const serial = (file: string) => new X509Certificate(readFileSync(file)).serialNumber;

test("the server's certificate fits every name of a broker and comes from the authority", async () => {
  const files = await ensureCertificates(directory, Date.now());
  const server = new X509Certificate(readFileSync(files.certificateFile));
  const authority = new X509Certificate(readFileSync(files.authorityFile));
  expect(server.checkIssued(authority)).toBe(true);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(authority.ca).toBe(true);
  expect(server.ca).toBe(false);
  expect(server.checkHost("localhost")).toBe("localhost");
  expect(server.checkHost("lkc-abcde.balafon.localhost")).toBeDefined();
  expect(server.checkHost("example.com")).toBeUndefined();
  expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(server.checkIP("::1")).toBe("::1");
  for (const file of Object.values(files)) expect(statSync(file).mode & 0o077).toBe(0);
});

test("a strict TLS client that trusts the authority connects", async () => {
  const files = await ensureCertificates(directory, Date.now());
  const server = createServer({ cert: readFileSync(files.certificateFile), key: readFileSync(files.keyFile) });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const authorized = await new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca: readFileSync(files.authorityFile) }, () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once("error", reject);
  });
  server.close();
  expect(authorized).toBe(true);
});

test("made once; the server's is renewed before it ends, the authority stays", async () => {
  const now = Date.now();
  const files = await ensureCertificates(directory, now);
  const [authority, server] = [serial(files.authorityFile), serial(files.certificateFile)];
  await ensureCertificates(directory, now + 300 * dayMs);
  expect([serial(files.authorityFile), serial(files.certificateFile)]).toEqual([authority, server]);
  await ensureCertificates(directory, now + 350 * dayMs);
  expect(serial(files.authorityFile)).toBe(authority);
  expect(serial(files.certificateFile)).not.toBe(server);
});

test("a damaged file is made anew, with what depends on it", async () => {
  const files = await ensureCertificates(directory, Date.now());
  const server = serial(files.certificateFile);
  writeFileSync(files.authorityFile, "nonsense");
  await ensureCertificates(directory, Date.now());
  const authority = new X509Certificate(readFileSync(files.authorityFile));
  expect(serial(files.certificateFile)).not.toBe(server);
  expect(new X509Certificate(readFileSync(files.certificateFile)).verify(authority.publicKey)).toBe(true);
});
