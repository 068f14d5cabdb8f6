import { expect, test } from "vitest";
import { createJsonLogger, logFieldCharactersMax } from "../../../../shared/telemetry/logger.ts";

const clock = { wallMs: () => Date.UTC(2026, 10, 22, 12), monotonicMs: () => 0 };

function logger(level: "debug" | "info" | "warn" | "error" = "debug") {
  const lines: string[] = [];
  const log = createJsonLogger({ clock, level, write: (line) => lines.push(line) });
  const parsed = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line));
  return { log, lines, parsed };
}

test("a line is one JSON object with time, level, event and fields", () => {
  const { log, lines } = logger();
  log.with({ brokerId: 1 }).info("segment-rolled", { bytes: 12 });
  expect(lines).toEqual([
    '{"time":"2026-11-22T12:00:00.000Z","level":"info","event":"segment-rolled","brokerId":1,"bytes":12}\n',
  ]);
});

test("lines below the level are dropped", () => {
  const { log, lines } = logger("warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines).toHaveLength(2);
});

test("what is named like a secret is not written, however deep", () => {
  const { log, lines } = logger();
  log.info("key-made", { request: { secret: "s3cret", password: "s3cret", keyId: "K" }, verifier: "s3cret" });
  expect(lines.join("")).not.toContain("s3cret");
  expect(lines.join("")).toContain('"keyId":"K"');
});

test("an error is written with its code and causes, a long text is cut, a cycle does no harm", () => {
  const { log, parsed } = logger();
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  log.error("failed", { error: new Error("outer", { cause: Object.assign(new Error("inner"), { code: "ENOSPC" }) }) });
  log.error("failed", { text: "x".repeat(logFieldCharactersMax * 2), big: 12n });
  log.error("failed", { cyclic });
  const [withError, withText, withCycle] = parsed();
  expect(withError).toMatchObject({ error: { message: "outer", cause: { message: "inner", code: "ENOSPC" } } });
  expect(String(withText?.["text"]).length).toBeLessThan(logFieldCharactersMax + 100);
  expect(withText).toMatchObject({ big: "12" });
  expect(withCycle).toMatchObject({ event: "failed" });
});
