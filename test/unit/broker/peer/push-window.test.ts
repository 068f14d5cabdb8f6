import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pushWindowBytesMax } from "../../../../broker/peer/limits.ts";
import { type Pushable, PushWindow } from "../../../../broker/peer/push-window.ts";

/** A partition that has `backlog` bytes to catch up, in pieces. */
class Backlog implements Pushable {
  readonly sent: number[] = [];
  turns = 0;
  readonly #window: PushWindow;
  readonly #pieceBytes: number;
  #left: number;

  constructor(window: PushWindow, backlog: number, pieceBytes: number) {
    this.#window = window;
    this.#left = backlog;
    this.#pieceBytes = pieceBytes;
  }

  push(roomBytes: number): boolean {
    expect(roomBytes).toBeGreaterThan(0);
    this.turns += 1;
    const bytes = Math.min(this.#left, this.#pieceBytes);
    if (bytes === 0) return false;
    this.#left -= bytes;
    this.sent.push(bytes);
    this.#window.take(bytes);
    return this.#left > 0;
  }
}

describe("PushWindow", () => {
  test("a direct push takes room until the window is full, and has it back when it is acknowledged", () => {
    const window = new PushWindow();
    expect(window.tryTake(pushWindowBytesMax - 1)).toBe(true);
    expect(window.tryTake(100)).toBe(true);
    expect(window.tryTake(1)).toBe(false);
    window.release(100);
    expect(window.tryTake(1)).toBe(true);
  });

  test("who waits is served when there is room, all in turn, and nobody passes them", () => {
    const window = new PushWindow();
    window.take(pushWindowBytesMax);
    const one = new Backlog(window, 3_000, 1_000);
    const two = new Backlog(window, 3_000, 1_000);
    window.wait(one);
    window.wait(two);
    expect([one.turns, two.turns]).toEqual([0, 0]);
    window.release(2_000);
    expect([one.sent, two.sent]).toEqual([[1_000], [1_000]]);
    expect(window.tryTake(1)).toBe(false);
    window.release(10_000);
    expect([one.sent.length, two.sent.length]).toEqual([3, 3]);
    expect(window.tryTake(1)).toBe(true);
  });

  test("one that waits twice has one turn, one that was forgotten none", () => {
    const window = new PushWindow();
    window.take(pushWindowBytesMax);
    const twice = new Backlog(window, 10, 10);
    const forgotten = new Backlog(window, 10, 10);
    window.wait(twice);
    window.wait(twice);
    window.wait(forgotten);
    window.forget(forgotten);
    window.release(100);
    expect([twice.turns, forgotten.turns]).toEqual([1, 0]);
  });

  test("one that waits for its disk holds up nobody", () => {
    const window = new PushWindow();
    const reading: Pushable = { push: () => false };
    window.wait(reading);
    expect(window.tryTake(10)).toBe(true);
  });

  test("room that is released in the middle of a turn is used in the same round", () => {
    const window = new PushWindow();
    window.take(pushWindowBytesMax);
    const next = new Backlog(window, 500, 500);
    const releasing: Pushable = {
      push: () => {
        window.take(1_000);
        window.release(1_000);
        return false;
      },
    };
    window.wait(releasing);
    window.wait(next);
    window.release(10);
    expect(next.sent).toEqual([500]);
  });

  test("whatever is taken and released, the room comes back and everybody gets all through", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 7 })), { maxLength: 12 }),
        (backlogs) => {
          const window = new PushWindow();
          const unit = pushWindowBytesMax / 16;
          const waiting = backlogs.map(([size, piece]) => new Backlog(window, size * unit, piece * unit));
          for (const backlog of waiting) window.wait(backlog);
          let acknowledged = 0;
          const sent = () => waiting.flatMap((backlog) => backlog.sent).reduce((sum, bytes) => sum + bytes, 0);
          while (acknowledged < sent()) {
            const bytes = sent() - acknowledged;
            acknowledged += bytes;
            window.release(bytes);
          }
          expect(sent()).toBe(backlogs.reduce((sum, [size]) => sum + size * unit, 0));
          expect(window.tryTake(pushWindowBytesMax)).toBe(true);
          expect(window.tryTake(1)).toBe(false);
        },
      ),
    );
  });
});
