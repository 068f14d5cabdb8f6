import { rename, writeFile } from "node:fs/promises";

/** Puts a text in a file's place in one step, readable by its owner alone. */
export async function replacePrivateFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
