import { expect, test } from "vitest";
import { logThrottleMs, throttleLog } from "../../../../shared/telemetry/log-throttle.ts";
import type { LogFields } from "../../../../shared/telemetry/logger.ts";

test("one line an event and second, and the next one counts what was left out", () => {
  let nowMs = 0;
  const lines: [string, LogFields][] = [];
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
  const log = throttleLog(clock, (event, fields) => lines.push([event, fields]));
  for (let count = 0; count < 100; count++) log("refused", { count });
  log("other", {});
  nowMs = logThrottleMs;
  log("refused", { count: 100 });
  nowMs = 3 * logThrottleMs;
  log("refused", { count: 101 });
  expect(lines).toEqual([
    ["refused", { count: 0 }],
    ["other", {}],
    ["refused", { count: 100, suppressed: 99 }],
    ["refused", { count: 101 }],
  ]);
});
