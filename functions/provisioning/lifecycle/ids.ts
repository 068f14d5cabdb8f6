import type { Random } from "../../../shared/ports/random.ts";
import { formatLogicalClusterId } from "../../../shared/tenancy/logical-cluster-id.ts";

/** Letters and digits that are not taken for one another when read aloud. */
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";
const characters = 8;

export type IdPrefix = "env" | "sa" | "org";

/** An id made before the first write of its object: 32^8 of each kind, so that none is guessed or met twice. */
export function newId(prefix: IdPrefix, random: Random): string {
  const letters = [...random.bytes(characters)].map((byte) => alphabet[byte % alphabet.length]);
  return `${prefix}-${letters.join("")}`;
}

export function newClusterId(random: Random): string {
  return formatLogicalClusterId(random.bytes(characters));
}
