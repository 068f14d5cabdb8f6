import { ControlUnavailableError } from "../../../shared/control/control-store.ts";
import type { DecideRecords } from "../../../shared/metadata/log/tail-appender.ts";
import type { ControlPlane } from "../control-plane.ts";

/**
 * Appends to a cell's log what `decide` says after the tail was read; nothing when it has changed its mind meanwhile.
 * Throws `ControlUnavailableError` when the log does not answer, and for a log that is broken or has ended.
 */
export async function appendToLog(plane: ControlPlane, cell: string, decide: DecideRecords): Promise<void> {
  const result = await plane.logOf(cell).append(decide);
  switch (result.kind) {
    case "appended":
    case "nothing":
      return;
    case "unavailable":
      throw new ControlUnavailableError(`the metadata log of ${cell} did not take it: ${result.message}`);
    case "sealed":
      throw new Error(`the metadata log of ${cell} has ended`);
    case "corrupt":
      throw new Error(`the metadata log of ${cell}: ${result.message}`);
  }
}
