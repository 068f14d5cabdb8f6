/**
 * API secrets and what is kept of them. A secret is 256 random bits that nobody chose, so one salted SHA-256 keeps it
 * as well as a slow password hash would (docs/adr/0005), and a broker can check it on its event loop.
 *
 * Secret: `bls1_` and 43 characters of base64url. Verifier: `sha256-1$<salt>$<hash>`, both base64url.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "../ports/random.ts";

const secretPrefix = "bls1_";
const secretBytes = 32;
const saltBytes = 16;
const verifierPrefix = "sha256-1";

/** Longest secret that is looked at: more cannot be one of ours, and hashing it would be a gift to a flooder. */
const secretCharactersMax = 256;

/** Public part of a key, 12 letters and digits: enough that ids made at random never meet. */
const keyIdCharacters = 12;
const keyIdAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

export interface NewApiKey {
  readonly keyId: string;
  /** Shown once, never kept. */
  readonly secret: string;
  readonly verifier: string;
}

/** A new key; `random` must be unguessable, as the system's is. */
export function newApiKey(random: Random): NewApiKey {
  const keyId = [...random.bytes(keyIdCharacters)].map((byte) => keyIdAlphabet[byte % keyIdAlphabet.length]).join("");
  const secret = secretPrefix + random.bytes(secretBytes).toString("base64url");
  return { keyId, secret, verifier: verifierOf(secret, random.bytes(saltBytes)) };
}

/** What is kept of a secret. The salt makes equal secrets look different. */
export function verifierOf(secret: string, salt: Uint8Array): string {
  const saltText = Buffer.from(salt).toString("base64url");
  return `${verifierPrefix}$${saltText}$${hashOf(secret, salt).toString("base64url")}`;
}

/** Whether the secret is the one that the verifier was made of. Takes as long for a wrong one as for the right one. */
export function secretMatches(secret: string, verifier: string): boolean {
  const [prefix, salt, hash] = verifier.split("$");
  if (prefix !== verifierPrefix || salt === undefined || hash === undefined || secret.length > secretCharactersMax) {
    return false;
  }
  const expected = Buffer.from(hash, "base64url");
  const actual = hashOf(secret, Buffer.from(salt, "base64url"));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `secretMatches` for callers that are ready to wait, should a later format need a slow hash. */
export function verifySecret(secret: string, verifier: string): Promise<boolean> {
  return Promise.resolve(secretMatches(secret, verifier));
}

/** Its own purpose goes into the hash, so that it is of no use anywhere else. */
function hashOf(secret: string, salt: Uint8Array): Buffer {
  return createHash("sha256").update("balafon api key\0").update(salt).update(secret).digest();
}

/** Checked against when a key id is unknown, so that the time of an answer does not tell which ids exist. */
export const absentKeyVerifier = verifierOf("", Buffer.alloc(saltBytes));
