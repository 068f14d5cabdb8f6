import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generatedPages } from "../../../local/generated-pages.ts";

test.each(generatedPages())("$name is what the code says (npm run docs)", ({ file, text }) => {
  expect(readFileSync(file, "utf8")).toBe(text);
});
