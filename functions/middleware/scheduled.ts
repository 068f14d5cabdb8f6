/** The stack of functions that run on a schedule: one line of the log for each run, and failures that count as such. */
import middy from "@middy/core";
import type { Logger } from "../../shared/telemetry/logger.ts";

export interface ScheduledOptions {
  readonly name: string;
  /** Returns what it did, for the log. */
  readonly run: () => Promise<Readonly<Record<string, unknown>>>;
  readonly logger: Logger;
}

export type ScheduledHandler = (event: object, context: object) => Promise<void>;

export function scheduled({ name, run, logger }: ScheduledOptions): ScheduledHandler {
  const handler = middy<object, Readonly<Record<string, unknown>> | undefined>(() => run()).use({
    after(request) {
      logger.info(name, { ...request.response });
      request.response = undefined;
    },
    onError(request) {
      // Thrown on: the platform counts it, and tries again.
      logger.error(`${name}-failed`, { error: request.error });
    },
  });
  return handler as unknown as ScheduledHandler;
}
