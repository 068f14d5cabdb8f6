import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { PeerConnection, PeerListener } from "../../../../shared/ports/peer-transport.ts";
import {
  openTcpPeerTransport,
  type PeerRefusal,
  peerMessageBytesMax,
  type TcpPeerTransport,
  type TcpPeerTransportOptions,
} from "../../../../shared/ports/tcp-peer-transport.ts";

const host = "127.0.0.1";
const secret = randomBytes(32);
const secrets = () => [secret] as const;

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

interface Peer {
  readonly transport: TcpPeerTransport;
  readonly refusals: PeerRefusal[];
}

async function open(
  brokerId: number,
  options: { secrets?: TcpPeerTransportOptions["secrets"]; handshakeMsMax?: number; unauthenticatedMax?: number } = {},
): Promise<Peer> {
  const refusals: PeerRefusal[] = [];
  const onRefused = (refusal: PeerRefusal) => refusals.push(refusal);
  const transport = await openTcpPeerTransport({ brokerId, host, port: 0, secrets, onRefused, ...options });
  opened.push(transport);
  return { transport, refusals };
}

/** Collects what one end of a connection hears. */
class Recorder implements PeerListener {
  readonly messages: Buffer[] = [];
  readonly opens = Promise.withResolvers<void>();
  readonly closes = Promise.withResolvers<string>();
  closeCount = 0;
  #waiting: { count: number; resolve: () => void } | undefined;

  onOpen(): void {
    this.opens.resolve();
  }

  onMessage(message: Buffer): void {
    this.messages.push(message);
    if (this.#waiting !== undefined && this.messages.length >= this.#waiting.count) this.#waiting.resolve();
  }

  onClose(reason: string): void {
    this.closeCount++;
    this.closes.resolve(reason);
  }

  async received(count: number): Promise<readonly Buffer[]> {
    if (this.messages.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = { count, resolve };
      await promise;
    }
    return this.messages;
  }
}

/** Broker 1 connected to broker 2. */
async function connectedPair() {
  const acceptor = await open(2);
  const initiator = await open(1);
  const accepted = Promise.withResolvers<PeerConnection>();
  const acceptorEnd = new Recorder();
  acceptor.transport.listen((connection) => {
    accepted.resolve(connection);
    return acceptorEnd;
  });
  const initiatorEnd = new Recorder();
  const connection = initiator.transport.connect({ brokerId: 2, host, port: acceptor.transport.port }, initiatorEnd);
  return { acceptor, initiator, acceptorEnd, initiatorEnd, connection, accepted: await accepted.promise };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function rawSocket(port: number): Socket {
  const socket = connect({ host, port });
  socket.on("error", () => undefined);
  socket.resume();
  opened.push({ close: () => socket.destroy() });
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));

test("both sides know the other's id, and messages of all sizes arrive whole and in order", async () => {
  const { accepted, connection, acceptorEnd, initiatorEnd } = await connectedPair();
  const sizes = [0, 1, 3, 5, 1023, 1024, 1025, 4096, 65_535, 65_536, 200_000, 3_000_000, 2, 70_000];
  const sent = [...sizes, ...sizes].map((size) => randomBytes(size));
  for (const message of sent) {
    connection.send([message.subarray(0, 10), message.subarray(10)]);
    accepted.send([message]);
  }
  expect(accepted.brokerId).toBe(1);
  expect(connection.brokerId).toBe(2);
  const there = await acceptorEnd.received(sent.length);
  const back = await initiatorEnd.received(sent.length);
  expect(there.map((message, index) => message.equals(sent[index]!))).toEqual(sent.map(() => true));
  expect(back.map((message, index) => message.equals(sent[index]!))).toEqual(sent.map(() => true));
});

test("what is sent before the connection opened leaves when it has", async () => {
  const { connection, acceptorEnd } = await connectedPair();
  connection.send([Buffer.alloc(3_000_000, 7)]);
  const [message] = await acceptorEnd.received(1);
  expect(message).toHaveLength(3_000_000);
});

test("the largest message passes, a larger one is the sender's bug", async () => {
  const { connection, acceptorEnd } = await connectedPair();
  connection.send([Buffer.alloc(peerMessageBytesMax)]);
  await acceptorEnd.received(1);
  expect(() => connection.send([Buffer.alloc(peerMessageBytesMax), Buffer.alloc(1)])).toThrow(RangeError);
});

test("both ends hear once of a close; what was sent before it arrives; later sends do nothing", async () => {
  const { connection, accepted, acceptorEnd, initiatorEnd } = await connectedPair();
  await initiatorEnd.opens.promise;
  connection.send([Buffer.from("last words")]);
  connection.close();
  connection.close();
  connection.send([Buffer.from("nothing")]);
  await acceptorEnd.closes.promise;
  await initiatorEnd.closes.promise;
  accepted.send([Buffer.from("nothing")]);
  expect(acceptorEnd.messages.map(String)).toEqual(["last words"]);
  expect([acceptorEnd.closeCount, initiatorEnd.closeCount]).toEqual([1, 1]);
  expect(connection.unsentBytes).toBe(0);
});

test("closing a transport ends its connections and frees its port", async () => {
  const { acceptor, initiatorEnd } = await connectedPair();
  await initiatorEnd.opens.promise;
  const { port } = acceptor.transport;
  acceptor.transport.close();
  await initiatorEnd.closes.promise;
  const again = await openTcpPeerTransport({ brokerId: 2, host, port, secrets, onRefused: () => undefined });
  opened.push(again);
  expect(again.port).toBe(port);
});

test("a slow reader shows in unsentBytes", async () => {
  const { connection, acceptorEnd, initiatorEnd } = await connectedPair();
  await initiatorEnd.opens.promise;
  for (let count = 0; count < 10; count++) connection.send([Buffer.alloc(8_000_000)]);
  expect(connection.unsentBytes).toBeGreaterThan(8_000_000);
  await acceptorEnd.received(10);
  await until(() => connection.unsentBytes === 0);
});

test("a peer with another secret is refused by both sides", async () => {
  const acceptor = await open(2);
  const stranger = await open(1, { secrets: () => [randomBytes(32)] });
  acceptor.transport.listen(() => expect.fail("accepted a stranger"));
  const end = new Recorder();
  stranger.transport.connect({ brokerId: 2, host, port: acceptor.transport.port }, end);
  expect(await end.closes.promise).toContain("wrong-proof");
  await until(() => acceptor.refusals.length > 0);
  expect(acceptor.refusals[0]?.reason).toBe("closed-early");
});

test("a broker that is not the one asked for is refused", async () => {
  const acceptor = await open(2);
  acceptor.transport.listen(() => expect.fail("accepted"));
  const initiator = await open(1);
  const end = new Recorder();
  initiator.transport.connect({ brokerId: 3, host, port: acceptor.transport.port }, end);
  await end.closes.promise;
  await until(() => acceptor.refusals.length > 0);
  expect(acceptor.refusals[0]?.reason).toBe("wrong-broker");
});

test("no one listening: onClose with the system's reason", async () => {
  const initiator = await open(1);
  const gone = await open(9);
  gone.transport.close();
  const end = new Recorder();
  initiator.transport.connect({ brokerId: 9, host, port: gone.transport.port }, end);
  expect(await end.closes.promise).toContain("ECONNREFUSED");
});

test.each([
  ["noise", randomBytes(4000)],
  ["a huge length", Buffer.from([0x7f, 0xff, 0xff, 0xff])],
  ["a length just above the handshake's", Buffer.from([0, 0, 0, 200])],
  ["a negative length", Buffer.from([0xff, 0, 0, 0, 1])],
  ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["an empty frame", Buffer.alloc(4)],
])("%s closes the connection and is reported", async (_name, bytes) => {
  const acceptor = await open(2);
  acceptor.transport.listen(() => expect.fail("accepted"));
  const socket = rawSocket(acceptor.transport.port);
  socket.write(bytes);
  await closed(socket);
  await until(() => acceptor.refusals.length > 0);
  expect(acceptor.refusals.map(({ reason }) => reason)).toEqual(["malformed"]);
  expect(acceptor.refusals[0]?.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("a silent stranger is closed after the deadline", async () => {
  const acceptor = await open(2, { handshakeMsMax: 50 });
  acceptor.transport.listen(() => expect.fail("accepted"));
  await closed(rawSocket(acceptor.transport.port));
  await until(() => acceptor.refusals.length > 0);
  expect(acceptor.refusals[0]?.reason).toBe("handshake-timeout");
});

test("only so many strangers at a time; afterwards peers are welcome again", async () => {
  const acceptor = await open(2, { unauthenticatedMax: 3 });
  const acceptorEnd = new Recorder();
  acceptor.transport.listen(() => acceptorEnd);
  const strangers = [1, 2, 3].map(() => rawSocket(acceptor.transport.port));
  await Promise.all(strangers.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  const late = rawSocket(acceptor.transport.port);
  await closed(late);
  expect(acceptor.refusals[0]?.reason).toBe("too-many-unauthenticated");
  for (const socket of strangers) socket.destroy();
  await until(() => acceptor.refusals.length === 4);
  const initiator = await open(1);
  const end = new Recorder();
  initiator.transport.connect({ brokerId: 2, host, port: acceptor.transport.port }, end);
  await end.opens.promise;
});

test("a secret that was exchanged counts for the next connection, and leaves open ones alone", async () => {
  let known: readonly [Buffer, ...Buffer[]] = [secret];
  const acceptor = await open(2, { secrets: () => known });
  const initiator = await open(1, { secrets: () => known });
  acceptor.transport.listen(() => new Recorder());
  const connect = () => {
    const end = new Recorder();
    initiator.transport.connect({ brokerId: 2, host, port: acceptor.transport.port }, end);
    return end;
  };
  const before = connect();
  await before.opens.promise;
  known = [randomBytes(32)];
  await connect().opens.promise;
  expect(before.closeCount).toBe(0);
});

test("a secret that is too short is refused at once", async () => {
  await expect(open(1, { secrets: () => [randomBytes(8)] })).rejects.toThrow(/at least 32/);
});
