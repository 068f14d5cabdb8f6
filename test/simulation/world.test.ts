import { expect, test } from "vitest";
import { startToyRing } from "./toy-ring.ts";
import type { SimProcess } from "./world/sim-process.ts";
import { machineHost, SimTransport } from "./world/sim-transport.ts";
import { World } from "./world/world.ts";

async function ringRun(seed: number): Promise<{ readonly hash: string; readonly journal: readonly string[] }> {
  const world = new World(seed);
  const ring = startToyRing(world, [1, 2, 3]);
  const { scheduler, network } = world;
  scheduler.after(100, "fault", () => world.machine(2).kill());
  scheduler.after(150, "fault", () => network.block(3, 1));
  scheduler.after(300, "fault", () => network.healAll());
  scheduler.after(320, "fault", () => world.machine(1).process?.pause());
  scheduler.after(400, "fault", () => world.machine(1).process?.resume(true));
  await scheduler.runUntil(1_000);
  expect(scheduler.failure).toBeUndefined();
  return { hash: scheduler.trace.hash, journal: ring.journal };
}

/** Two processes with one open connection from 1 to 2. */
async function connectedPair(world: World): Promise<{
  readonly processes: readonly SimProcess[];
  readonly send: (text: string) => void;
  readonly unsentBytes: () => number;
  readonly received: string[];
  readonly closed: string[];
}> {
  const received: string[] = [];
  const closed: string[] = [];
  const processes = [1, 2].map((id) => world.machine(id).start(() => undefined));
  const [one, two] = processes as [SimProcess, SimProcess];
  new SimTransport(world.network, two, { brokerId: 2, port: 1 }).listen(() => ({
    onMessage: (message) => received.push(message.length > 20 ? `${message.length}` : message.toString()),
    onClose: (reason) => closed.push(`2 ${reason}`),
  }));
  const connection = new SimTransport(world.network, one, { brokerId: 1, port: 1 }).connect(
    { brokerId: 2, host: machineHost(2), port: 1 },
    { onOpen: () => undefined, onMessage: () => undefined, onClose: (reason) => closed.push(`1 ${reason}`) },
  );
  await world.scheduler.runUntil(100);
  return {
    processes,
    received,
    closed,
    send: (text) => connection.send([Buffer.from(text)]),
    unsentBytes: () => connection.unsentBytes,
  };
}

test("the same seed gives the same run, another seed another", async () => {
  const first = await ringRun(7);
  const second = await ringRun(7);
  const other = await ringRun(8);

  expect(second).toEqual(first);
  expect(first.journal.length).toBeGreaterThan(50);
  expect(other.hash).not.toBe(first.hash);
});

test("messages of a connection arrive in the order in which they were sent", async () => {
  const world = new World(1);
  const pair = await connectedPair(world);
  const sent = Array.from({ length: 200 }, (_, i) => `m${i}`);

  for (const text of sent) pair.send(text);
  await world.scheduler.runUntil(500);

  expect(pair.received).toEqual(sent);
});

test("a paused process gets what came meanwhile after it resumes, in order, and its connections stay open", async () => {
  const world = new World(2);
  const pair = await connectedPair(world);
  const [, two] = pair.processes as [SimProcess, SimProcess];
  const order: string[] = [];
  two.pause();
  two.timers.after(50, () => order.push(`timer after ${pair.received.length} messages`));
  pair.send("a");
  pair.send("b");
  await world.scheduler.runUntil(5_000);
  expect(pair.received).toEqual([]);

  two.resume(true);
  pair.send("c");
  await world.scheduler.runUntil(5_010);

  expect(pair.received).toEqual(["a", "b", "c"]);
  expect(order).toEqual(["timer after 0 messages"]);
  expect(pair.closed).toEqual([]);
});

test("bytes that a paused receiver does not read show as unsent", async () => {
  const world = new World(3);
  const pair = await connectedPair(world);
  pair.processes[1]?.pause();

  for (let i = 0; i < 40; i += 1) pair.send("x".repeat(64 * 1024));
  await world.scheduler.runUntil(1_000);

  expect(pair.unsentBytes()).toBe(32 * 64 * 1024);
  pair.processes[1]?.resume(false);
  await world.scheduler.runUntil(2_000);
  expect(pair.unsentBytes()).toBe(0);
  expect(pair.received).toHaveLength(40);
});

test("after a crash neither timers nor continuations run, and the peer hears of it", async () => {
  const world = new World(4);
  const pair = await connectedPair(world);
  const [, two] = pair.processes as [SimProcess, SimProcess];
  const ran: string[] = [];
  two.timers.after(10, () => ran.push("timer"));
  two.timers.afterTurn(() => ran.push("turn"));
  const answer = Promise.withResolvers<void>();
  two.deliverAfter(10, "answer", answer.resolve);
  void answer.promise.then(() => ran.push("continuation"));

  world.machine(2).kill();
  await world.scheduler.runUntil(1_000);

  expect(ran).toEqual([]);
  expect(pair.closed).toEqual(["1 ECONNRESET"]);
});

test("a machine that lost its power is silent until it boots", async () => {
  const world = new World(5);
  const pair = await connectedPair(world);

  world.machine(2).powerOff();
  pair.send("nobody hears this");
  await world.scheduler.runUntil(10_000);
  const closedBefore = [...pair.closed];
  world.machine(2).powerOn();
  await world.scheduler.runUntil(10_100);

  expect(closedBefore).toEqual([]);
  expect(pair.closed).toEqual(["1 ECONNRESET"]);
});

test("a blocked direction holds messages back and lets them go when healed", async () => {
  const world = new World(6);
  const pair = await connectedPair(world);

  world.network.block(1, 2);
  pair.send("late");
  await world.scheduler.runUntil(3_000);
  const before = [...pair.received];
  world.network.unblock(1, 2);
  await world.scheduler.runUntil(3_100);

  expect(before).toEqual([]);
  expect(pair.received).toEqual(["late"]);
});

test("clocks of machines differ, drift, and only the wall clock jumps", async () => {
  const world = new World(9);
  const [one, two] = [world.machine(1).clock, world.machine(2).clock];
  const before = { one: one.monotonicMs(), two: two.monotonicMs(), wall: one.wallMs() };

  await world.scheduler.runUntil(100_000);
  one.jumpWall(-60_000);

  const elapsedOne = one.monotonicMs() - before.one;
  const elapsedTwo = two.monotonicMs() - before.two;
  expect(elapsedOne).not.toBeCloseTo(elapsedTwo, 0);
  expect(Math.abs(elapsedOne - 100_000)).toBeLessThan(1_001);
  expect(Math.abs(one.wallMs() - before.wall - 40_000)).toBeLessThan(1_001);
});

test("an event that throws fails the run and names the process", async () => {
  const world = new World(10);
  const process = world.machine(1).start(() => undefined);
  process.timers.after(5, () => {
    throw new Error("a bug");
  });

  await world.scheduler.runUntil(100);

  expect(world.scheduler.failure?.message).toBe("m1.1 threw in timer: Error: a bug");
});
