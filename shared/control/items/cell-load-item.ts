import { objectOf, type Shape, ShapeError, text } from "../../metadata/records/shape.ts";
import type { ControlKind } from "../control-kind.ts";
import { millis } from "./fields.ts";

/**
 * Collection `cell-load`: how full a cell is, as its controller wrote it last; replaced whatever was there. Each share is 0
 * for idle and 1 for full, and may be above.
 */
export interface CellLoadItem {
  readonly cell: string;
  readonly atMs: number;
  readonly meanBrokerLoad: number;
  readonly replicaUtilization: number;
  readonly bandwidthUtilization: number;
}

export const cellLoads = "cell-load";

const share: Shape<number> = {
  encode: (value) => value,
  decode(json, path) {
    if (typeof json !== "number" || !Number.isFinite(json) || json < 0) throw new ShapeError(path, "a share");
    return json;
  },
};

export const cellLoadKind: ControlKind<CellLoadItem> = {
  kind: "cell-load",
  shape: objectOf<CellLoadItem>({
    cell: text,
    atMs: millis,
    meanBrokerLoad: share,
    replicaUtilization: share,
    bandwidthUtilization: share,
  }),
  collectionOf: () => cellLoads,
  idOf: ({ cell }) => cell,
};
