/**
 * Version ranges in the notation of the protocol guide: `"0+"`, `"3-12"`, `"4"`.
 *
 * An open range ends at `VERSION_MAX`; both ends are inclusive.
 */
export type VersionSpec = `${number}+` | `${number}-${number}` | `${number}`;

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** Versions travel as int16, so no version lies above this. */
export const VERSION_MAX = 32_767;

/** The empty range: contains no version. */
export const NO_VERSIONS: VersionRange = Object.freeze({ min: 0, max: -1 });

const VERSION_SPEC_PATTERN = /^(\d+)(?:(\+)|-(\d+))?$/;

/** Parses a range; throws `RangeError` on anything else, since a bad range is a slip in a schema table. */
export function parseVersionRange(spec: string): VersionRange {
  const match = VERSION_SPEC_PATTERN.exec(spec);
  if (match === null) throw new RangeError(`not a version range: "${spec}"`);
  const min = Number(match[1]);
  const max = match[2] === "+" ? VERSION_MAX : Number(match[3] ?? match[1]);
  if (max < min || max > VERSION_MAX) throw new RangeError(`empty or oversized version range: "${spec}"`);
  return Object.freeze({ min, max });
}

export function rangeContains(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
