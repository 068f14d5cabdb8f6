import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("a database that cannot be opened is told in a line", async () => {
  const file = fileURLToPath(new URL("../../../local/store-process.ts", import.meta.url));
  // A file in the place of a folder: nothing can be made below it, by root either.
  const database = `${file}/items.sqlite`;
  const run = promisify(execFile)(process.execPath, [file, database, database, "socket", "secret"]);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: `${database} cannot be opened: unable to open database file\n`,
  });
});
