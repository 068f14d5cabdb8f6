/** `npm run docs`: writes the pages that repeat what the code says. A test fails when one of them is stale. */
import { writeFileSync } from "node:fs";
import { generatedPages } from "./generated-pages.ts";

for (const page of generatedPages()) {
  writeFileSync(page.file, page.text);
  process.stdout.write(`${page.name}\n`);
}
