import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dataLayout } from "../../../local/data-directory.ts";
import type { RunFile } from "../../../local/run-file.ts";
import { RunFileKeeper } from "../../../local/run-file-keeper.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), "balafon-run-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

function keeper(directory: string, describe: () => RunFile | undefined) {
  const waiting: (() => void)[] = [];
  const said: string[] = [];
  const kept = new RunFileKeeper({
    layout: dataLayout(directory),
    timers: {
      after: (_ms, run) => {
        waiting.push(run);
        return () => undefined;
      },
      afterTurn: () => undefined,
    },
    say: (message) => said.push(message),
    describe,
  });
  return { kept, waiting, said };
}

const runOf = (pid: number) => ({ pid }) as RunFile;

test("a disk that takes nothing does not end the cloud: it is told once and tried again", () => {
  const directory = path.join(parent, "data");
  // In the place of the folder: every write fails, for root too.
  writeFileSync(directory, "");
  let pid = 1;
  const { kept, waiting, said } = keeper(directory, () => runOf(pid));
  kept.write();
  kept.write();
  expect(said).toHaveLength(1);
  expect(said[0]).toContain("run.json is not up to date");
  expect(waiting).toHaveLength(1);
  waiting.shift()?.();
  expect(said).toHaveLength(1);
  rmSync(directory);
  mkdirSync(directory);
  pid = 2;
  waiting.shift()?.();
  expect(JSON.parse(readFileSync(path.join(directory, "run.json"), "utf8"))).toEqual({ pid: 2 });
  expect(waiting).toHaveLength(0);
});

test("what has ended meanwhile is not written any more", () => {
  const { kept, waiting } = keeper(parent, () => undefined);
  kept.write();
  expect(() => readFileSync(path.join(parent, "run.json"))).toThrow("ENOENT");
  expect(waiting).toHaveLength(0);
});
