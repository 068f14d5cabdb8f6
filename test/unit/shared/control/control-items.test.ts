import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeControlItem, encodeControlItem } from "../../../../shared/control/control-kind.ts";
import { auditId } from "../../../../shared/control/items/audit-item.ts";
import { itemFault } from "../../../../shared/item-store/item-size.ts";
import { goldenItems } from "./golden-items.ts";

const revision = "0".repeat(32);

test.each(goldenItems)("$kind.kind: the stored form stays as it is, and is read back", ({ kind, value, stored }) => {
  const item = encodeControlItem(kind, value, revision);
  expect([item.partition, item.sort, item.attributes["json"]]).toEqual(stored);
  expect(itemFault(item)).toBeUndefined();
  expect(decodeControlItem(kind, item)).toEqual({ value, revision });
});

test("every kind of item has a sample", () => {
  const files = readdirSync("shared/control/items").filter((name) => name.endsWith("-item.ts"));
  expect(goldenItems.map(({ kind }) => `${kind.kind}-item.ts`).toSorted()).toEqual(files.toSorted());
});

test.each(goldenItems)("$kind.kind: what is not of its form is refused", ({ kind, value }) => {
  const item = encodeControlItem(kind, value, revision);
  const [first = ""] = Object.keys(value);
  const broken = [
    { ...item.attributes, kind: "other" },
    { ...item.attributes, json: JSON.stringify({ ...value, more: 1 }) },
    { ...item.attributes, json: JSON.stringify({ ...value, [first]: undefined }) },
    { kind: kind.kind, json: "{}" },
  ];
  for (const attributes of broken) expect(() => decodeControlItem(kind, { ...item, attributes })).toThrow("expected");
});

test("newer audit entries stand before older ones", () => {
  const ids = [3, 1, 2].map((ms) => auditId(ms, "x"));
  expect(ids.toSorted()).toEqual([ids[0], ids[2], ids[1]]);
});
