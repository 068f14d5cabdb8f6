import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  claimDataDirectory,
  dataLayout,
  emptyDataDirectory,
  ensureCellSecret,
  writePrivateFile,
} from "../../../local/data-directory.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), "balafon-data-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

test("the directory is made for its owner alone, and its content stays until a fresh start", () => {
  const layout = dataLayout(path.join(parent, "a", "b"));
  claimDataDirectory(layout).release();
  writePrivateFile(layout.clientProperties, "x");
  expect(modeOf(layout.directory)).toBe("700");
  expect(modeOf(layout.clientProperties)).toBe("600");
  claimDataDirectory(layout).release();
  expect(existsSync(layout.clientProperties)).toBe(true);
  emptyDataDirectory(layout);
  claimDataDirectory(layout).release();
  expect(existsSync(layout.clientProperties)).toBe(false);
});

test("a folder with other people's files is refused", () => {
  writeFileSync(path.join(parent, "thesis.txt"), "important");
  const layout = dataLayout(parent);
  expect(() => claimDataDirectory(layout)).toThrow(/not Balafon's \(thesis\.txt\).*--data/);
  expect(readFileSync(path.join(parent, "thesis.txt"), "utf8")).toBe("important");
});

test("what is no folder is refused in a sentence", () => {
  const file = path.join(parent, "thesis.txt");
  writeFileSync(file, "important");
  for (const directory of [file, path.join(file, "below")]) {
    expect(() => claimDataDirectory(dataLayout(directory))).toThrow(
      expect.objectContaining({
        code: "DATA_DIRECTORY",
        message: expect.stringMatching(
          /thesis\.txt.* cannot be the data directory \(E[A-Z]+: .*\): pass another folder with --data$/,
        ),
      }),
    );
  }
});

test("a second process on the same directory is refused; the lock ends with its holder, even by kill -9", async () => {
  const layout = dataLayout(parent);
  const holder = fork(new URL("./lock-holder.ts", import.meta.url), [parent]);
  await new Promise((resolve) => holder.once("message", resolve));
  expect(() => claimDataDirectory(layout)).toThrow(/another npm start uses .* --data/);
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  claimDataDirectory(layout).release();
});

test("the cell's secret is made once, for its owner alone", () => {
  const file = path.join(parent, "cell.secret");
  ensureCellSecret(file);
  const first = readFileSync(file, "utf8");
  ensureCellSecret(file);
  expect(first).toMatch(/^[0-9a-f]{64}\n$/);
  expect(readFileSync(file, "utf8")).toBe(first);
  expect(modeOf(file)).toBe("600");
});

test("sockets of a deep directory are short enough for the system", () => {
  const deep = dataLayout(path.join(parent, "x".repeat(120)));
  expect(Buffer.byteLength(deep.controlSocket)).toBeLessThanOrEqual(103);
  expect(deep.controlSocket).not.toBe(dataLayout(path.join(parent, "y".repeat(120))).controlSocket);
  expect(path.dirname(dataLayout(parent).storeSocket)).toBe(parent);
});
