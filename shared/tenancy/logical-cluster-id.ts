/** Ids of logical clusters: `lkc-` and 3 to 32 lowercase letters or digits. They appear in host names. */

const idPattern = /^lkc-[a-z0-9]{3,32}$/;

/** Random characters of an id made here: 32^8 ids, so that none is guessed or met twice. */
const idCharacters = 8;

/** Letters and digits that are not taken for one another when read aloud. */
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";

/** Owns the cell's internal topics (committed offsets, transactions); no tenant can have it. */
export const internalLogicalCluster = "lkc-internal";

/** The logical cluster that is ready when a cell is started on one machine. */
export const devLogicalCluster = "lkc-dev";

export function isLogicalClusterId(text: string): boolean {
  return idPattern.test(text);
}

/** An id out of random bytes, 8 of them at least. */
export function formatLogicalClusterId(randomBytes: Uint8Array): string {
  if (randomBytes.length < idCharacters) {
    throw new Error(`an id takes ${idCharacters} random bytes`);
  }
  const characters = [...randomBytes.subarray(0, idCharacters)].map((byte) => alphabet[byte % alphabet.length]);
  return `lkc-${characters.join("")}`;
}
