/** Why a log cannot be used. Errors of the disk itself come through as they are (`ENOSPC`, `EIO`, …). */
export type LogErrorCode =
  /** The files are not what was synced, or not a log: nothing is cut, the replica must be made again from others. */
  | "LOG_CORRUPT"
  /** The caller gave a chunk that does not continue the log, or is not what it says. */
  | "CHUNK_INVALID"
  /** Closed, deleted, or in the middle of a truncation. */
  | "LOG_UNAVAILABLE";

export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  /** File or folder. */
  readonly path: string;

  constructor(code: LogErrorCode, path: string, detail: string) {
    super(`${path}: ${detail}`);
    this.code = code;
    this.path = path;
  }
}
