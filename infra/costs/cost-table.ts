import { type CostLine, totalDollars } from "./monthly-cost.ts";
import { type Price, prices } from "./prices.ts";

/** Rows of text: what, amount, unit, dollars a month. A price from memory has `*`, an estimated amount `~`. */
export function costRows(lines: readonly CostLine[]): readonly (readonly string[])[] {
  const rows = lines.map(({ what, price, amount, dollars, estimated }) => {
    const { unit, source }: Price = prices[price];
    const marks = `${estimated ? "~" : ""}${source === undefined ? "*" : ""}`;
    return [what, short(amount), unit, `${dollars.toFixed(2)}${marks === "" ? "" : ` ${marks}`}`];
  });
  return [...rows, ["**together**", "", "", `**${totalDollars(lines).toFixed(0)}**`]];
}

function short(amount: number): string {
  return amount.toLocaleString("en-US", { maximumFractionDigits: amount < 10 ? 2 : 0 });
}
