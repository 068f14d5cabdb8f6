/** Names of a log's files. A segment is known by its base offset in 20 digits, so that names sort as offsets do. */

export type SegmentFileKind = "log" | "index" | "snapshot";

/** The checkpoint of the whole log, beside its segments. */
export const logStateFileName = "log.state";

export function segmentFileName(baseOffset: number, kind: SegmentFileKind): string {
  return `${String(baseOffset).padStart(20, "0")}.${kind}`;
}

/** What a file of the folder is; undefined for a name that this module did not give. */
export function parseSegmentFileName(name: string): { baseOffset: number; kind: SegmentFileKind } | undefined {
  const match = /^(\d{20})\.(log|index|snapshot)$/.exec(name);
  if (match === null) return undefined;
  const baseOffset = Number(match[1]);
  return Number.isSafeInteger(baseOffset) ? { baseOffset, kind: match[2] as SegmentFileKind } : undefined;
}
