import { expect, test } from "vitest";
import { afterLook, type Look, unwatched } from "../../../router/broker-watch-core.ts";

/** Conditions after each look. */
function conditions(looks: readonly Look[], leads: boolean): string {
  let state = unwatched;
  return looks
    .map((look) => {
      state = afterLook(state, look, () => !leads);
      return state.condition;
    })
    .join(" ");
}

const silent = (count: number): readonly Look[] => Array.from({ length: count }, () => "silent");

test("a broker that its cell has given up is cut at the third miss", () => {
  expect(conditions(silent(4), false)).toBe("live doubted cut cut");
});

test("one that still leads keeps its connections for ten seconds, and gets no new ones", () => {
  expect(conditions(silent(24), true)).toBe(`live ${"doubted ".repeat(23)}`.trim());
  expect(conditions(silent(25), true)).toMatch(/doubted cut$/);
});

test("one look that fails means nothing, and one that succeeds mends all", () => {
  expect(conditions(["silent", "answered", "silent", "answered"], false)).toBe("live live live live");
  expect(conditions([...silent(4), "answered"], false)).toBe("live doubted cut cut live");
});

test("where nobody listens no new connection is sent", () => {
  expect(conditions(["refused", "answered"], true)).toBe("doubted live");
});
