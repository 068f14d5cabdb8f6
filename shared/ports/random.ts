import { randomBytes } from "node:crypto";

/** Randomness as a value that is handed in. */
export interface Random {
  /** Uniform in [0, 1). For jitter and choices, never for secrets. */
  fraction(): number;
  /** `size` random bytes; unguessable in production, seeded in the simulator. */
  bytes(size: number): Buffer;
}

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (size) => randomBytes(size),
};

/** A random (version 4) UUID as 32 lowercase hex digits, the form in which ids are kept in memory. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex");
}
