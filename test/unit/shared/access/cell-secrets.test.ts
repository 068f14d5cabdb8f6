import { expect, test } from "vitest";
import { parseCellSecrets } from "../../../../shared/access/cell-secrets.ts";

const [old, fresh] = ["a".repeat(64), "b".repeat(64)];
const parsed = (text: string) => parseCellSecrets(Buffer.from(text)).map(String);

test("a line is a secret, the first one first; the line feed at the end is none", () => {
  expect(parsed(old)).toEqual([old]);
  expect(parsed(`${old}\n`)).toEqual([old]);
  expect(parsed(`${fresh}\r\n${old}\n`)).toEqual([fresh, old]);
});

test.each([
  ["nothing", "\n", /empty/],
  ["a secret that was cut short", `${old}\n${"c".repeat(31)}`, /line of 31 bytes/],
  ["more than can be in exchange", [old, fresh, old, fresh].join("\n"), /4 lines/],
])("refuses %s, without a word of it", (_what, text, why) => {
  expect(() => parsed(text)).toThrow(why);
  expect(() => parsed(text)).not.toThrow(/aaa|bbb|ccc/);
});
