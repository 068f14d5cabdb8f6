import type { Scheduler } from "./scheduler.ts";

/** Rejections that nobody handles and exceptions that nobody catches fail the run that caused them. */
export async function failingOnUnhandled<T>(scheduler: Scheduler, run: () => Promise<T>): Promise<T> {
  const onRejection = (cause: unknown): void =>
    scheduler.fail(new Error(`unhandled rejection: ${String(cause)}`, { cause }));
  const onException = (cause: unknown): void =>
    scheduler.fail(new Error(`uncaught exception: ${String(cause)}`, { cause }));
  const rejectionListeners = process.listeners("unhandledRejection");
  const exceptionListeners = process.listeners("uncaughtException");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", onRejection);
  process.removeAllListeners("uncaughtException").on("uncaughtException", onException);
  try {
    return await run();
  } finally {
    process.off("unhandledRejection", onRejection).off("uncaughtException", onException);
    for (const listener of rejectionListeners) process.on("unhandledRejection", listener);
    for (const listener of exceptionListeners) process.on("uncaughtException", listener);
  }
}
