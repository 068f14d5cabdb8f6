/**
 * Bounds of the memory that clients may make this broker hold.
 *
 * Sum, at defaults: 128 MiB for requests and responses of authenticated clients, 16 MiB for peers that have not
 * authenticated, and one read slab (64 KiB at most, 4 KiB while idle) for each connection.
 */
export interface AdmissionLimits {
  /**
   * Bytes of request frames, of what handlers expect to need, and of responses not yet taken by the operating system,
   * over all authenticated connections. At least the largest request, else that could never be read.
   */
  readonly memoryBytesMax: number;
  /** The same over all connections that have not authenticated yet: strangers never take what tenants need. */
  readonly strangerMemoryBytesMax: number;
  /** Somebody waits for memory for so long: frames that arrive too slowly give theirs back (their connection closes). */
  readonly starvedMs: number;
  /** A frame under way for longer than this is slow, when somebody is starved. */
  readonly slowFrameMs: number;
}

export const admissionLimits: AdmissionLimits = {
  memoryBytesMax: 134_217_728,
  strangerMemoryBytesMax: 16_777_216,
  starvedMs: 2_000,
  slowFrameMs: 5_000,
};
