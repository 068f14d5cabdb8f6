import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Outbox, TurnFlusher } from "../../../../broker/connection/outbox.ts";
import { systemTimers } from "../../../../shared/ports/timers.ts";
import { ManualTime } from "../handlers/manual-time.ts";

/** A socket that takes a list of chunks at a time, when the test says so. */
class HeldSocket extends Writable {
  readonly lists: string[][] = [];
  #taken: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.lists.push([chunk.toString()]);
    this.#taken = taken;
  }

  override _writev(chunks: { chunk: Buffer }[], taken: () => void): void {
    this.lists.push(chunks.map(({ chunk }) => chunk.toString()));
    this.#taken = taken;
  }

  async take(): Promise<void> {
    this.#taken?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function outboxOn(socket: Writable, writeBytesMax = 100) {
  const time = new ManualTime();
  const sent: number[] = [];
  const flusher = new TurnFlusher(systemTimers);
  const outbox = new Outbox(socket, { flusher, clock: time, writeBytesMax, onSent: (bytes) => sent.push(bytes) });
  return { outbox, time, sent };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what one turn brings leaves as one list, uncopied", async () => {
  const socket = new HeldSocket();
  const { outbox } = outboxOn(socket);
  outbox.send([Buffer.from("a"), Buffer.from("b")]);
  outbox.send([Buffer.from("c")]);
  expect(socket.lists).toEqual([]);
  await turn();
  expect(socket.lists).toEqual([["a", "b", "c"]]);
});

test("a slow peer's bytes wait here, and are counted until they are taken", async () => {
  const socket = new HeldSocket();
  const { outbox, sent } = outboxOn(socket, 4);
  outbox.send([Buffer.from("aaaa"), Buffer.from("bbbb")]);
  outbox.send([Buffer.from("cc")]);
  await turn();
  expect(socket.lists).toEqual([["aaaa"]]);
  await socket.take();
  expect([outbox.unsentBytes, sent]).toEqual([6, [4]]);
  expect(socket.lists).toEqual([["aaaa"], ["bbbb"]]);
  await socket.take();
  await socket.take();
  expect([outbox.unsentBytes, sent]).toEqual([0, [4, 4, 2]]);
});

test("it is known since when nothing was taken", async () => {
  const socket = new HeldSocket();
  const { outbox, time } = outboxOn(socket, 4);
  expect(outbox.stuckSinceMs).toBeUndefined();
  outbox.send([Buffer.from("aaaa"), Buffer.from("b")]);
  const startMs = time.monotonicMs();
  await turn();
  await time.advance(50);
  expect(outbox.stuckSinceMs).toBe(startMs);
  await socket.take();
  expect(outbox.stuckSinceMs).toBe(startMs + 50);
  await socket.take();
  expect(outbox.stuckSinceMs).toBeUndefined();
});

test("when it is closed everything unsent is given back, once", async () => {
  const socket = new HeldSocket();
  const { outbox, sent } = outboxOn(socket, 4);
  outbox.send([Buffer.from("aaaa"), Buffer.from("bbbb")]);
  await turn();
  outbox.close();
  await socket.take();
  expect([outbox.send([Buffer.from("late")]), outbox.unsentBytes, sent]).toEqual([0, 0, [8]]);
});

test("tells when all is sent", async () => {
  const socket = new HeldSocket();
  const { outbox } = outboxOn(socket);
  let drained = 0;
  const count = () => {
    drained += 1;
  };
  outbox.whenDrained(count);
  expect(drained).toBe(1);
  outbox.send([Buffer.from("a")]);
  outbox.whenDrained(count);
  await turn();
  expect(drained).toBe(1);
  await socket.take();
  expect(drained).toBe(2);
});
