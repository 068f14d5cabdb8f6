/**
 * Bounds of the memory that clients may make this broker hold.
 *
 * Sum, at defaults: 128 MiB for requests and responses of authenticated clients, 16 MiB for peers that have not
 * authenticated, and one read slab (64 KiB at most, 4 KiB while idle) for each connection.
 */
export interface AdmissionLimits {
  /**
   * Bytes of request frames, of what handlers expect to need, and of responses not yet taken by the operating system,
   * over all authenticated connections. Without the part of the modest at least the largest request, else that could
   * never be read.
   */
  readonly memoryBytesMax: number;
  /** Of one logical cluster: half, so that one whose requests do not end leaves room for the others. */
  readonly tenantMemoryBytesMax: number;
  /**
   * Part of `memoryBytesMax` that is kept for logical clusters which hold little: they pass those who wait for room to
   * read large requests, or two that send such requests and never end them would make all others wait.
   */
  readonly modestMemoryBytes: number;
  /** Little: most that such a logical cluster holds. */
  readonly modestTenantBytesMax: number;
  /** The same over all connections that have not authenticated yet: strangers never take what tenants need. */
  readonly strangerMemoryBytesMax: number;
  /** Of the strangers from one address. */
  readonly strangerAddressBytesMax: number;
  /** Somebody waits for memory for so long: those who send or read too slowly give theirs back (their connection closes). */
  readonly starvedMs: number;
  /** Slow, when somebody is starved: an incomplete request, or answers not taken, for longer than this. */
  readonly slowPeerMs: number;
}

export const admissionLimits: AdmissionLimits = {
  memoryBytesMax: 134_217_728,
  tenantMemoryBytesMax: 67_108_864,
  modestMemoryBytes: 16_777_216,
  modestTenantBytesMax: 1_048_576,
  strangerMemoryBytesMax: 16_777_216,
  strangerAddressBytesMax: 8_388_608,
  starvedMs: 2_000,
  slowPeerMs: 5_000,
};
