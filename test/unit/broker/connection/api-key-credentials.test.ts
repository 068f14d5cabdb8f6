import { expect, test } from "vitest";
import { ApiKeyCredentials, parsePlainToken } from "../../../../broker/connection/api-key-credentials.ts";
import { newApiKey, verifySecret } from "../../../../shared/access/api-key-secret.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";
import { InMemoryBroker } from "../handlers/in-memory-broker.ts";

test("SASL/PLAIN tokens (RFC 4616)", () => {
  const parse = (token: string) => parsePlainToken(Buffer.from(token));
  expect(parse("\0user\0secret")).toEqual({ user: "user", password: "secret" });
  expect(parse("user\0user\0secret")).toEqual({ user: "user", password: "secret" });
  for (const malformed of ["", "user", "user\0secret", "\0\0", "\0user\0", "\0\0secret", "a\0b\0c", "\0a\0b\0c"]) {
    expect([malformed, parse(malformed)]).toEqual([malformed, undefined]);
  }
  expect(parse(`\0user\0${"x".repeat(2_000)}`)).toBeUndefined();
});

test("a key proves its tenant with its own secret only, as long as it stands", async () => {
  const broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  const keys = [newApiKey(systemRandom), newApiKey(systemRandom)];
  const lkcs = ["lkc-aaaaa", "lkc-bbbbb"];
  for (const [index, { keyId, verifier }] of keys.entries()) {
    const lkc = lkcs[index]!;
    broker.apply({ type: "api-key-upserted", keyId, lkc, principal: `User:${index}`, verifier, createdMs: 0 });
  }
  const credentials = new ApiKeyCredentials({
    image: () => broker.image(),
    verifySecret,
    clock: broker.clock,
    lookUp: () => Promise.resolve(),
  });
  const authenticate = (user: string, secret: string) =>
    credentials.authenticatePlain(Buffer.from(`\0${user}\0${secret}`));
  const [first, second] = [keys[0]!, keys[1]!];
  const identity = await authenticate(first.keyId, first.secret);
  expect(identity).toEqual({ lkc: "lkc-aaaaa", principal: "User:0", keyId: first.keyId });
  expect(await authenticate(first.keyId, second.secret)).toBeUndefined();
  expect(await authenticate("absent", first.secret)).toBeUndefined();
  expect(credentials.isValid(identity!)).toBe(true);
  broker.apply({ type: "api-key-deleted", keyId: first.keyId });
  expect(credentials.isValid(identity!)).toBe(false);
  expect(credentials.isValid({ lkc: "lkc-aaaaa", principal: "User:anonymous", keyId: undefined })).toBe(true);
});
