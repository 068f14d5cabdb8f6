import { readFileSync } from "node:fs";
import { type FleetConfigResult, readFleetConfig } from "./read-fleet-config.ts";

/** Reads a fleet's file; a file that is missing or is not JSON is a problem like any other. */
export function readFleetFile(file: string): FleetConfigResult {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return { kind: "invalid", problems: [error instanceof Error ? error.message : String(error)] };
  }
  return readFleetConfig(json);
}
