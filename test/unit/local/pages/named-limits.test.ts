import { expect, test } from "vitest";
import { namedLimits } from "../../../../local/pages/named-limits.ts";

test("constants are read with their comment, which several may share", () => {
  const text = `
/** Between two attempts,
 * doubled. */
export const retryMsMin = 200;
export const retryMsMax = 5_000;

export const bare = otherMs;
/** Of one message. */
export const messageBytesMax = 2 * 1024 * 1024;
/** What is left. */
export const cellNumberMax = 2 ** 13 - 1;
`;
  expect(namedLimits(text, new Map([["otherMs", 7]]))).toEqual([
    { name: "retryMsMin", value: 200, unit: "ms", meaning: "Between two attempts, doubled." },
    { name: "retryMsMax", value: 5_000, unit: "ms", meaning: "Between two attempts, doubled." },
    { name: "bare", value: 7, unit: "", meaning: "" },
    { name: "messageBytesMax", value: 2_097_152, unit: "bytes", meaning: "Of one message." },
    { name: "cellNumberMax", value: 8_191, unit: "", meaning: "What is left." },
  ]);
});

test("members of an object are read with the comment of their interface", () => {
  const text = `
export interface Limits {
  /** Longest name. */
  readonly nameCharactersMax: number;
}

export const limits: Limits = {
  nameCharactersMax: 249,
};
`;
  expect(namedLimits(text)).toEqual([
    { name: "nameCharactersMax", value: 249, unit: "characters", meaning: "Longest name." },
  ]);
});

test("an expression that it does not know is an error, not a wrong number", () => {
  expect(() => namedLimits("export const tenMax = twenty / 2;\n")).toThrow("cannot read");
});
