import { expect, test } from "vitest";
import { topicNameFault } from "../../../../../shared/metadata/commands/topic-name.ts";

test.each([
  ["", "Topic name is invalid: it is empty."],
  [".", "Topic name is invalid: '.' and '..' are no names."],
  ["..", "Topic name is invalid: '.' and '..' are no names."],
  ["a".repeat(250), "Topic name is invalid: it is longer than 249 characters."],
  ["a b", "Topic name is invalid: it may have letters, digits, '.', '_' and '-' only."],
  ["a".repeat(249), undefined],
  ["__proto__", undefined],
  ["...", undefined],
])("a topic named %j", (name, fault) => {
  expect(topicNameFault(name)).toBe(fault);
});
