import { describe, expect, test } from "vitest";
import { absentKeyVerifier, newApiKey, secretMatches, verifierOf } from "../../../../shared/access/api-key-secret.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";

describe("API key secrets", () => {
  test("a new secret matches its verifier, and no other one does", () => {
    const key = newApiKey(systemRandom);
    const other = newApiKey(systemRandom);
    expect(key.keyId).toMatch(/^[A-Z2-9]{12}$/);
    expect(key.secret).toMatch(/^bls1_[A-Za-z0-9_-]{43}$/);
    expect(secretMatches(key.secret, key.verifier)).toBe(true);
    expect(secretMatches(other.secret, key.verifier)).toBe(false);
    expect(secretMatches(`${key.secret} `, key.verifier)).toBe(false);
    expect(secretMatches("", key.verifier)).toBe(false);
  });

  test("the verifier holds nothing of the secret, and differs by salt", () => {
    const secret = "bls1_secret";
    const [one, two] = [verifierOf(secret, Buffer.alloc(16, 1)), verifierOf(secret, Buffer.alloc(16, 2))];
    expect(one).not.toBe(two);
    expect(one).not.toContain(secret);
    expect(secretMatches(secret, one) && secretMatches(secret, two)).toBe(true);
  });

  test("the format does not change unseen", () => {
    expect(verifierOf("bls1_golden", Buffer.from("0123456789abcdef"))).toMatchInlineSnapshot(
      `"sha256-1$MDEyMzQ1Njc4OWFiY2RlZg$W3DNNOPwNJZJ8saJXGZVvFD1ns7GtR60RJo8N-B9AoA"`,
    );
  });

  test("nothing matches a verifier of another format, or that of absent keys", () => {
    for (const verifier of ["", "$", "sha256-2$AA$AA", "sha256-1$AA", "sha256-1$AA$", "scrypt$1$2"]) {
      expect(secretMatches("bls1_x", verifier)).toBe(false);
    }
    expect(secretMatches(newApiKey(systemRandom).secret, absentKeyVerifier)).toBe(false);
    expect(secretMatches("x".repeat(10_000), absentKeyVerifier)).toBe(false);
  });
});
