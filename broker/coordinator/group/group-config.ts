import type { CellConfigs } from "../../../shared/metadata/configs/topic-configs.ts";
import type { GroupConfig } from "./group-contract.ts";

/** Those of the cell's configurations that a classic group obeys. */
export function groupConfigOf(cell: CellConfigs): GroupConfig {
  return {
    minSessionTimeoutMs: cell.groupMinSessionTimeoutMs,
    maxSessionTimeoutMs: cell.groupMaxSessionTimeoutMs,
    groupMaxSize: cell.groupMaxSize,
    initialRebalanceDelayMs: cell.groupInitialRebalanceDelayMs,
  };
}
