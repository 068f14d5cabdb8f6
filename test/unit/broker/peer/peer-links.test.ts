import { describe, expect, test } from "vitest";
import {
  heartbeatIntervalMs,
  lateTickMs,
  peerSilenceMs,
  redialMsMax,
  redialMsMin,
  silentConnectionCloseMs,
} from "../../../../broker/peer/limits.ts";
import { PeerLinks } from "../../../../broker/peer/peer-links.ts";
import type { HeartbeatMessage, JsonMessage } from "../../../../broker/peer/peer-messages.ts";
import type { Endpoint } from "../../../../shared/metadata/records/record.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { FakeTransport } from "./fake-transport.ts";

/** Broker `self` with its links, and what they told. */
function start(self: number, peers: readonly number[] = []) {
  const time = new ManualTime();
  const transport = new FakeTransport();
  const told: string[] = [];
  const random = { fraction: () => 0.5, bytes: (size: number) => Buffer.alloc(size) };
  const links: PeerLinks = new PeerLinks(
    self,
    { clock: time, timers: time, random, transport, logger: silentLogger },
    {
      onLinkUp: ({ brokerId }) => told.push(`up ${brokerId}`),
      onLinkDown: ({ brokerId }, reason) => told.push(`down ${brokerId}: ${reason}`),
      onLivenessChanged: () => told.push(`alive ${links.alive().join(" ")}`),
      onAppend: (_link, entry) => told.push(`append ${entry.stream}`),
      onAck: (_link, entry) => told.push(`ack ${entry.stream}`),
      onAttach: (_link, message) => told.push(`attach ${message.stream}`),
      onAttached: (_link, message) => told.push(`attached ${message.stream}`),
      onRefused: (_link, message) => told.push(`refused ${message.stream}`),
      onMetadataEntry: (seq) => told.push(`entry ${seq}`),
      onCall: (from, method, body) =>
        method === "fail" ? Promise.reject(new Error("failed")) : Promise.resolve({ from, method, body }),
    },
  );
  links.start(() => true);
  links.setPeers(endpoints(peers));
  const take = () => told.splice(0);
  return { time, transport, links, take };
}

function endpoints(peers: readonly number[], port = 9000): Map<number, Endpoint> {
  return new Map(peers.map((id) => [id, { host: `broker-${id}`, port }]));
}

function heartbeat(change: Partial<HeartbeatMessage> = {}): HeartbeatMessage {
  return { kind: "heartbeat", hears: [], storeReachable: true, draining: false, sentMs: 1, echoMs: null, ...change };
}

const heartbeatsOf = (messages: readonly JsonMessage[]) => messages.filter((message) => message.kind === "heartbeat");

describe("connections", () => {
  test("the broker with the lower id dials", () => {
    const { transport } = start(2, [1, 2, 3]);
    expect(transport.dialed.map(({ brokerId, host }) => [brokerId, host])).toEqual([[3, "broker-3"]]);
  });

  test("a connection that opened is a link; that it broke is told, and it is dialed again", async () => {
    const { transport, take, links, time } = start(1, [2]);
    transport.dialed[0]?.open();
    expect(take()).toEqual(["up 2", "alive 1 2"]);
    transport.dialed[0]?.connection.reset();
    expect(take()).toEqual(["down 2: reset by the peer", "alive 1"]);
    expect(links.link(2)).toBeUndefined();
    await time.advance(redialMsMin);
    expect(transport.dialed.length).toBe(2);
  });

  test("a peer that cannot be reached is tried at a falling rate, for ever", async () => {
    const { transport, time } = start(1, [2]);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      transport.dialed.at(-1)?.refuse();
      const dialed = transport.dialed.length;
      let waitMs = 0;
      for (; transport.dialed.length === dialed; waitMs += 10) await time.advance(10);
      waits.push(waitMs);
    }
    expect(waits[0]).toBe(redialMsMin);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBe(redialMsMax);
  });

  test("a second connection of a peer replaces the first, whose end is told before the new link", () => {
    const { transport, take, links } = start(2, [1]);
    const first = transport.accepted(1);
    take();
    transport.accepted(1);
    expect(first.isClosed).toBe(true);
    expect(take()).toEqual(["down 1: replaced by a newer connection", "alive 1 2", "up 1", "alive 1 2"]);
    expect(links.links().length).toBe(1);
  });

  test("what still comes on a replaced connection is not heard", () => {
    const { transport, take } = start(2, [1]);
    const first = transport.accepted(1);
    transport.accepted(1);
    take();
    first.receive({ kind: "attached", stream: 1, endOffset: 0 });
    first.listener?.onClose("late");
    expect(take()).toEqual([]);
  });

  test("a peer that is registered no more is left", async () => {
    const { transport, take, links, time } = start(1, [2, 3]);
    transport.dialed[0]?.open();
    take();
    links.setPeers(endpoints([3]));
    await time.settle();
    expect(take()).toEqual(["down 2: closed here", "alive 1"]);
    await time.advance(5_000);
    expect(transport.dialed.filter(({ brokerId }) => brokerId === 2).length).toBe(1);
  });

  test("a message that no peer of ours sends ends the connection", async () => {
    const { transport, take, time } = start(2, [1]);
    const connection = transport.accepted(1);
    take();
    connection.receive(Buffer.from([9]));
    await time.settle();
    expect(connection.isClosed).toBe(true);
    expect(take()).toEqual(["down 1: closed here", "alive 2"]);
  });
});

describe("heartbeats", () => {
  test("tell whom this broker hears, and echo the peer's clock", async () => {
    const { transport, time } = start(2, [1, 3]);
    const one = transport.accepted(1);
    transport.dialed[0]?.open();
    one.receive(heartbeat({ sentMs: 77 }));
    one.sent.splice(0);
    await time.advance(heartbeatIntervalMs);
    expect(one.takeJson({ heartbeats: true })).toEqual([
      heartbeat({ hears: [1, 2, 3], sentMs: time.monotonicMs(), echoMs: 77 }),
    ]);
    expect(
      heartbeatsOf(transport.dialed[0]?.connection.takeJson({ heartbeats: true }) ?? []).at(-1)?.echoMs,
    ).toBeNull();
  });

  test("the link remembers the newest time of its own that came back, never an older one", () => {
    const { transport, links } = start(2, [1]);
    const connection = transport.accepted(1);
    expect(links.link(1)?.echoedMs).toBe(Number.NEGATIVE_INFINITY);
    connection.receive(heartbeat({ echoMs: 900 }));
    connection.receive(heartbeat({ echoMs: 800 }));
    connection.receive(heartbeat());
    expect(links.link(1)?.echoedMs).toBe(900);
  });

  test("a peer that is silent is not alive, until it is heard again; its connection stays a while", async () => {
    const { transport, take, time, links } = start(2, [1]);
    const connection = transport.accepted(1);
    take();
    await passes(time, peerSilenceMs);
    expect(take()).toEqual([]);
    await passes(time, 2 * heartbeatIntervalMs);
    expect(take()).toEqual(["alive 2"]);
    expect(links.link(1)).toBeDefined();
    connection.receive(heartbeat());
    expect(take()).toEqual(["alive 1 2"]);
  });

  test("a connection that stays silent is given up", async () => {
    const { transport, take, time } = start(1, [2]);
    transport.dialed[0]?.open();
    take();
    await passes(time, silentConnectionCloseMs + 2 * heartbeatIntervalMs);
    expect(take()).toEqual(["alive 1", "down 2: silent for too long", "alive 1"]);
    await passes(time, redialMsMax);
    expect(transport.dialed.length).toBe(2);
  });

  test("a process that was stopped itself judges nobody before it has read what came meanwhile", async () => {
    const { transport, take, time } = start(2, [1]);
    const connection = transport.accepted(1);
    take();
    await time.advance(heartbeatIntervalMs + lateTickMs + peerSilenceMs);
    expect(take()).toEqual([]);
    connection.receive(heartbeat());
    await passes(time, 2 * heartbeatIntervalMs);
    expect(take()).toEqual([]);
  });

  test("a change in whom a peer hears, or in its store, is told once", () => {
    const { transport, take, links } = start(2, [1]);
    const connection = transport.accepted(1);
    take();
    connection.receive(heartbeat({ hears: [1, 3] }));
    connection.receive(heartbeat({ hears: [3, 1] }));
    expect(take()).toEqual(["alive 1 2"]);
    connection.receive(heartbeat({ hears: [1, 3], storeReachable: false }));
    expect(take()).toEqual(["alive 1 2"]);
    expect(links.link(1)?.peerStoreReachable).toBe(false);
  });

  test("a broker that is about to stop says so at once, and on every link that opens later", () => {
    const { transport, take, links } = start(2, [1]);
    const connection = transport.accepted(1);
    connection.takeJson({ heartbeats: true });
    take();
    links.drain();
    links.drain();
    expect(heartbeatsOf(connection.takeJson({ heartbeats: true }))).toMatchObject([{ draining: true }]);
    expect(take()).toEqual(["alive 1 2"]);
    const later = heartbeatsOf(transport.accepted(1).takeJson({ heartbeats: true }));
    expect(later.at(-1)).toMatchObject({ draining: true });
    expect(links.isDraining(2)).toBe(true);
  });

  test("a peer drains from when it says so until its link is gone", () => {
    const { transport, take, links } = start(2, [1]);
    const connection = transport.accepted(1);
    take();
    expect(links.isDraining(1)).toBe(false);
    connection.receive(heartbeat({ draining: true }));
    connection.receive(heartbeat({ draining: true }));
    expect(links.isDraining(1)).toBe(true);
    expect(take()).toEqual(["alive 1 2"]);
    transport.accepted(1);
    expect(links.isDraining(1)).toBe(false);
  });
});

/** Time passes in ticks, as it does for a process that runs. */
async function passes(time: ManualTime, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += heartbeatIntervalMs / 3) await time.advance(heartbeatIntervalMs / 3);
}

describe("calls", () => {
  test("are answered with what the peer says", async () => {
    const { transport, links } = start(2, [1]);
    const connection = transport.accepted(1);
    const call = links.call(1, "seal", { seq: 4 }, 1_000);
    expect(connection.takeJson()).toEqual([{ kind: "call", id: 1, method: "seal", body: { seq: 4 } }]);
    connection.receive({ kind: "answer", id: 1, body: [7] });
    expect(await call).toEqual({ kind: "answered", body: [7] });
  });

  test("end without an answer when it does not come, when the link breaks, and when there is none", async () => {
    const { transport, links, time } = start(2, [1]);
    const connection = transport.accepted(1);
    const late = links.call(1, "seal", {}, 500);
    await time.advance(500);
    expect(await late).toEqual({ kind: "unreachable", reason: "timeout" });
    const broken = links.call(1, "seal", {}, 500);
    connection.reset();
    expect(await broken).toEqual({ kind: "unreachable", reason: "reset by the peer" });
    expect(await links.call(1, "seal", {}, 500)).toEqual({ kind: "unreachable", reason: "no link" });
  });

  test("a peer's call is answered; one that fails here ends nothing", async () => {
    const { transport, time, links } = start(2, [1]);
    const connection = transport.accepted(1);
    connection.takeJson();
    connection.receive({ kind: "call", id: 5, method: "fail", body: null });
    connection.receive({ kind: "call", id: 6, method: "report", body: 1 });
    await time.settle();
    expect(connection.takeJson()).toEqual([{ kind: "answer", id: 6, body: { from: 1, method: "report", body: 1 } }]);
    expect(links.isAlive(1)).toBe(true);
  });
});

test("stop closes everything and tries nothing again", async () => {
  const { transport, links, time, take } = start(1, [2, 3]);
  transport.dialed[0]?.open();
  take();
  links.stop();
  await time.settle();
  expect(transport.isClosed).toBe(true);
  expect(transport.dialed.every(({ connection }) => connection.isClosed)).toBe(true);
  await passes(time, 3_000);
  expect(transport.dialed.length).toBe(2);
  expect(time.pending).toBe(0);
});
