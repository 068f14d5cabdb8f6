import { expect, test } from "vitest";
import { CellSecretWatch } from "../../../broker/cell-secret-watch.ts";
import { silentLogger } from "../../../shared/telemetry/logger.ts";

const [old, fresh] = ["a".repeat(64), "b".repeat(64)];

function setUp() {
  const warnings: string[] = [];
  const state = {
    content: old,
    pending: undefined as (() => void) | undefined,
    planned: Promise.withResolvers<void>(),
  };
  const ports = {
    read: async () => Buffer.from(state.content),
    timers: {
      afterTurn: () => expect.fail("not used"),
      after: (_ms: number, run: () => void) => {
        state.pending = run;
        state.planned.resolve();
        return () => {
          state.pending = undefined;
        };
      },
    },
    logger: { ...silentLogger, warn: (event: string) => void warnings.push(event) },
  };
  const look = async () => {
    state.planned = Promise.withResolvers();
    state.pending?.();
    await state.planned.promise;
  };
  return { state, ports, look, warnings };
}

test("takes another value without a restart, and keeps the one before when it is of no use", async () => {
  const { state, ports, look, warnings } = setUp();
  const watch = await CellSecretWatch.start(ports);
  expect(watch.secrets.map(String)).toEqual([old]);
  state.content = `${old}\n${fresh}`;
  await look();
  expect(watch.secrets.map(String)).toEqual([old, fresh]);
  state.content = "short";
  await look();
  expect(watch.secrets.map(String)).toEqual([old, fresh]);
  expect(warnings).toEqual(["cell-secret-not-changed"]);
  watch.end();
  expect(state.pending).toBeUndefined();
});

test("a broker without a secret does not start", async () => {
  const { state, ports } = setUp();
  state.content = "";
  await expect(CellSecretWatch.start(ports)).rejects.toThrow("empty");
});
