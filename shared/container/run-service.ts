/** A process that serves until it is told to end. */
export interface Service {
  /** Resolves with what is to be told on stdout when it serves; rejects with the reason why it does not. */
  start(): Promise<object>;
  /** Ends everything in order. */
  stop(): Promise<void>;
  /** Ends the process now. */
  die(event: string, error: unknown): never;
}

const exitCodes = { clean: 0, forced: 130 } as const;

/**
 * Runs a service as this process. SIGTERM or SIGINT ends it in order (a second one at once); so does the end of the
 * channel to the process that forked it, so that none outlives its supervisor.
 */
export async function runService(service: Service): Promise<void> {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(exitCodes.forced);
    stopping = true;
    service.stop().then(
      () => process.exit(exitCodes.clean),
      (error: unknown) => service.die("shutdown-failed", error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
  process.on("uncaughtException", (error) => service.die("uncaught-exception", error));
  process.on("unhandledRejection", (error) => service.die("unhandled-rejection", error));
  process.stdout.write(`${JSON.stringify(await service.start())}\n`);
}
