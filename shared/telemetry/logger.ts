import type { Clock } from "../ports/clock.ts";

/**
 * Structured log lines. `event` is a constant in kebab-case (`segment-rolled`), everything that varies is a field, so
 * that lines can be counted by event. Never hand over a secret, a password, a record's key or a record's value.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  /** Something a person should look at when it repeats. */
  warn(event: string, fields?: LogFields): void;
  /** A promise to the user was, or will be, broken. */
  error(event: string, fields?: LogFields): void;
  /** The same log with fields added to every line. */
  with(fields: LogFields): Logger;
}

/** Values must be small; an `Error` is written as name, message, code, stack and its causes. */
export type LogFields = Readonly<Record<string, unknown>>;

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Drops every line: for tests and simulations that do not look at the log. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLogger,
};

export interface JsonLoggerOptions {
  readonly clock: Clock;
  /** Lines below it are dropped. */
  readonly level: LogLevel;
  /** Takes one line, its newline included; must not throw. */
  readonly write: (line: string) => void;
  /** Called for each line written, with its level: metrics count warnings and errors with it. */
  readonly onLine?: (level: LogLevel) => void;
}

/** Longest field value in characters: one line can never fill the disk. */
export const logFieldCharactersMax = 4096;
/** An error's causes are followed this deep. */
const errorCausesMax = 4;
/** Fields that look like a secret are never written, whatever a caller does by mistake. */
const secretName = /secret|password|passwd|verifier|authorization|privatekey|credential/i;

/** One JSON object a line: `time` (ISO 8601, UTC), `level`, `event`, then the fields. */
export function createJsonLogger(options: JsonLoggerOptions, fixedFields: LogFields = {}): Logger {
  const levelMin = logLevels.indexOf(options.level);
  const log = (level: LogLevel, event: string, fields: LogFields | undefined) => {
    if (logLevels.indexOf(level) < levelMin) return;
    const time = new Date(options.clock.wallMs()).toISOString();
    options.write(`${encodeLine({ time, level, event, ...fixedFields, ...fields })}\n`);
    options.onLine?.(level);
  };
  return {
    debug: (event, fields) => log("debug", event, fields),
    info: (event, fields) => log("info", event, fields),
    warn: (event, fields) => log("warn", event, fields),
    error: (event, fields) => log("error", event, fields),
    with: (fields) => createJsonLogger(options, { ...fixedFields, ...fields }),
  };
}

function encodeLine(line: LogFields): string {
  try {
    return JSON.stringify(line, (name, value: unknown) => encodeField(name, value));
  } catch (error) {
    // A cyclic value or a throwing getter must not take the process down with it.
    return JSON.stringify({
      time: line["time"],
      level: line["level"],
      event: line["event"],
      unloggable: String(error),
    });
  }
}

function encodeField(name: string, value: unknown): unknown {
  if (secretName.test(name) && value !== undefined) return "(not logged)";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string" && value.length > logFieldCharactersMax) {
    return `${value.slice(0, logFieldCharactersMax)}… (${value.length} characters)`;
  }
  if (value instanceof Error) return describeError(value, errorCausesMax);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}

function describeError(error: Error, causesLeft: number): LogFields {
  const { code } = error as Error & { readonly code?: unknown };
  const cause =
    error.cause instanceof Error && causesLeft > 0 ? describeError(error.cause, causesLeft - 1) : error.cause;
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause }),
    stack: error.stack,
  };
}
