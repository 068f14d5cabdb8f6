import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { RotatingLog } from "../../../../local/supervisor/rotating-log.ts";

test("a log is bounded: one older file is kept, and it goes on after a restart", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "balafon-log-"));
  const file = path.join(directory, "logs", "broker.log");
  for (let life = 0; life < 3; life++) {
    const log = new RotatingLog(file, 1000);
    for (let line = 0; line < 30; line++) log.write(`${life} ${String(line).padStart(20, "0")}\n`);
    log.close();
  }
  const log = new RotatingLog(file, 1000);
  log.write("the last line\n");
  expect(readdirSync(path.dirname(file)).toSorted()).toEqual(["broker.log", "broker.log.1"]);
  expect(statSync(file).size + statSync(`${file}.1`).size).toBeLessThan(2100);
  expect(log.tail(1)).toEqual(["the last line"]);
  rmSync(directory, { recursive: true });
});

test("what a disk does not take is no fault, and its end is shown", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "balafon-log-"));
  const file = path.join(directory, "store.log");
  const log = new RotatingLog(file, 1000);
  // In the place of the file: every write fails, for root too.
  mkdirSync(file);
  log.write("database or disk is full\n");
  rmSync(file, { recursive: true });
  expect(log.tail(5)).toEqual(["database or disk is full"]);
  expect(new RotatingLog(file, 1000).tail(5)).toEqual([]);
  rmSync(directory, { recursive: true });
});
