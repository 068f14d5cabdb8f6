import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RotatingLog } from "../../../../local/supervisor/rotating-log.ts";
import { SupervisedBroker } from "../../../../local/supervisor/supervised-broker.ts";

let directory: string;
const brokers: SupervisedBroker[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "balafon-broker-"));
});
afterEach(() => {
  for (const broker of brokers.splice(0)) broker.forceEnd();
  rmSync(directory, { recursive: true, force: true });
});

/** Timers that fire when the test says so. */
function manualTimers() {
  const waiting: { ms: number; run: () => void }[] = [];
  return {
    waiting,
    after(ms: number, run: () => void) {
      const timer = { ms, run };
      waiting.push(timer);
      return () => {
        const at = waiting.indexOf(timer);
        if (at >= 0) waiting.splice(at, 1);
      };
    },
    afterTurn: (run: () => void) => setImmediate(run),
    fire() {
      const timer = waiting.shift();
      timer?.run();
      return timer?.ms;
    },
  };
}

function supervise(behaviour: string, restartAfterMs = 10_000) {
  const timers = manualTimers();
  const said: string[] = [];
  const log = new RotatingLog(path.join(directory, "broker.log"), 1_000_000);
  const file = fileURLToPath(new URL("./fake-broker.ts", import.meta.url));
  const broker = new SupervisedBroker({
    slot: 1,
    program: { file, args: [behaviour], env: process.env },
    log,
    restartAfterMs,
    timers,
    say: (message) => said.push(message),
    onChange: () => undefined,
    dataOption: " --data /b",
  });
  brokers.push(broker);
  return { broker, timers, said, log };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a broker is started, takes the id it says, and stops on request for good", async () => {
  const { broker, timers, log } = supervise("serve");
  expect(await broker.start()).toEqual({ kind: "done", message: `broker 7 serves (process ${broker.pid})` });
  expect([broker.state, broker.brokerId]).toEqual(["up", 7]);
  expect(log.tail(5)).toEqual(["something that is no JSON"]);
  expect(await broker.start()).toEqual({ kind: "refused", message: "broker 7 is running already" });
  expect(await broker.stop()).toEqual({
    kind: "done",
    message: "broker 7 is down; npm run broker -- start 7 --data /b starts it",
  });
  expect([broker.state, broker.pid]).toEqual(["down", undefined]);
  expect(timers.waiting).toEqual([]);
  expect(await broker.stop()).toMatchObject({ kind: "refused" });
  expect(await broker.start()).toMatchObject({ kind: "done" });
});

test("killed, it is started again after the time asked for; a start hurries it", async () => {
  const { broker, timers, said } = supervise("serve");
  await broker.start();
  const { pid } = broker;
  expect(await broker.kill()).toMatchObject({
    message: `broker 7 (process ${pid}) was killed; it starts again in 10 s`,
  });
  expect(broker.state).toBe("waiting");
  expect(timers.fire()).toBe(10_000);
  await until(() => broker.state === "up");
  expect(broker.pid).not.toBe(pid);
  expect(said.at(0)).toBe("broker 7 ended (signal SIGKILL); it starts again in 10 s");
  await until(() => said.length === 2);
  expect(said.at(1)).toContain("serves again");
  await broker.kill();
  expect(await broker.start()).toMatchObject({ kind: "done" });
  expect(timers.waiting).toEqual([]);
});

test("--restart-after 0: it stays down", async () => {
  const { broker, timers, said } = supervise("serve", 0);
  await broker.start();
  await broker.kill();
  expect([broker.state, timers.waiting.length]).toEqual(["down", 0]);
  expect(said[0]).toContain("--restart-after 0");
});

test("dying before it serves: the end of the log is told, and the waits grow", async () => {
  const { broker, timers } = supervise("die-at-start", 1_000);
  const outcome = await broker.start();
  expect(outcome.kind).toBe("refused");
  expect(outcome.message).toContain("code 3");
  expect(outcome.message).toContain("cannot-start");
  const waits: (number | undefined)[] = [];
  for (let life = 0; life < 4; life++) {
    await until(() => broker.state === "waiting");
    waits.push(timers.fire());
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test("pause and resume; a paused broker can be stopped", async () => {
  const { broker } = supervise("serve");
  expect(broker.pause()).toMatchObject({ kind: "refused" });
  await broker.start();
  expect(broker.resume()).toMatchObject({ kind: "refused" });
  expect(broker.pause()).toMatchObject({ kind: "done" });
  expect(broker.pause()).toMatchObject({ kind: "refused" });
  expect(broker.resume()).toMatchObject({ kind: "done" });
  broker.pause();
  expect(await broker.stop()).toMatchObject({ kind: "done" });
});

test("one that does not end in time is killed", async () => {
  const { broker, timers, said } = supervise("ignore-stop");
  await broker.start();
  const stopping = broker.stop();
  expect(timers.fire()).toBe(20_000);
  expect(await stopping).toMatchObject({ kind: "done" });
  expect(said[0]).toContain("killing it");
});

test.each([
  ["recover", "may be missing"],
  ["disk-full", "cannot write to its disk"],
])("what a person must know is told once, not only logged: %s", async (behaviour, told) => {
  const { broker, said } = supervise(behaviour);
  await broker.start();
  await until(() => said.length > 0);
  expect(said).toEqual([expect.stringContaining(told)]);
});
