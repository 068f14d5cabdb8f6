/**
 * Names of a log's files. A segment is known by its base offset in 20 digits, so that names sort as offsets do, and, once
 * compaction has rewritten it, by how often: `<base offset>-<generation>.log`. A snapshot belongs to the offset alone.
 */

export const segmentFileKinds = ["log", "index", "snapshot"] as const;

export type SegmentFileKind = (typeof segmentFileKinds)[number];

/** The checkpoint of the whole log, beside its segments. */
export const logStateFileName = "log.state";

export function segmentFileName(baseOffset: number, kind: SegmentFileKind, generation = 0): string {
  const suffix = generation === 0 || kind === "snapshot" ? "" : `-${generation}`;
  return `${String(baseOffset).padStart(20, "0")}${suffix}.${kind}`;
}

export interface SegmentFile {
  readonly baseOffset: number;
  readonly kind: SegmentFileKind;
  /** 0: as it was appended. */
  readonly generation: number;
}

/** What a file of the folder is; undefined for a name that this module did not give. */
export function parseSegmentFileName(name: string): SegmentFile | undefined {
  const match = /^(\d{20})(?:-([1-9]\d{0,9}))?\.(log|index|snapshot)$/.exec(name);
  if (match === null) return undefined;
  const file = { baseOffset: Number(match[1]), kind: match[3] as SegmentFileKind, generation: Number(match[2] ?? 0) };
  return Number.isSafeInteger(file.baseOffset) && segmentFileName(file.baseOffset, file.kind, file.generation) === name
    ? file
    : undefined;
}
