import { afterEach, describe, expect, test } from "vitest";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { apiVersions } from "../../../../shared/kafka/schema/api-versions.ts";
import { createTopics } from "../../../../shared/kafka/schema/create-topics.ts";
import { fetch } from "../../../../shared/kafka/schema/fetch.ts";
import { metadata } from "../../../../shared/kafka/schema/metadata.ts";
import { offsetCommit } from "../../../../shared/kafka/schema/offset-commit.ts";
import { offsetFetch } from "../../../../shared/kafka/schema/offset-fetch.ts";
import { produce } from "../../../../shared/kafka/schema/produce.ts";
import { saslAuthenticate } from "../../../../shared/kafka/schema/sasl-authenticate.ts";
import { saslHandshake } from "../../../../shared/kafka/schema/sasl-handshake.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { issueCertificates, plainLkc, RunningServer, secureLkc, until } from "./running-server.ts";
import { WireClient } from "./wire-client.ts";
import { fetchAll, records } from "./wire-requests.ts";

let running: RunningServer | undefined;
afterEach(async () => {
  await running?.stopClean();
  running = undefined;
});

async function start(...options: Parameters<typeof RunningServer.start>): Promise<RunningServer> {
  running = await RunningServer.start(...options);
  return running;
}

const versions = { clientSoftwareName: "test", clientSoftwareVersion: "1" };
const allTopics = { topics: null };

function commitOf(committedOffset: number) {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: null }];
  return { groupId: "g", memberId: "", topics: [{ name: "t", partitions }] };
}

describe("the plaintext listener", () => {
  test("serves its logical cluster without credentials", async () => {
    const { broker, connect } = bound(await start());
    broker.topic(plainLkc, "mine");
    broker.topic(secureLkc, "theirs");
    const client = await connect();
    const { apiKeys } = await client.call(apiVersions, 3, versions);
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 });
    const { topics, clusterId, brokers } = await client.call(metadata, 12, allTopics);
    expect(topics.map(({ name }) => name)).toEqual(["mine"]);
    expect(clusterId).toBe(plainLkc);
    expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual([
      "localhost:9001",
      "localhost:9002",
      "localhost:9003",
    ]);
    client.close();
  });

  test("a large request arrives whole, and its records come back byte for byte", async () => {
    const { broker, connect } = bound(await start());
    const topic = broker.topic(plainLkc, "t");
    const client = await connect();
    const value = Buffer.alloc(3_000_000, "abcdefg");
    const produced = await client.call(produce, 9, records(value));
    expect(produced.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
    const fetched = await client.call(fetch, 11, fetchAll("t"));
    const found = fetched.responses[0]?.partitions[0]?.records;
    expect(found?.equals(topic.hosted[0]!.appended[0]!.records)).toBe(true);
    client.close();
  });

  test("pipelined requests are answered in their order, produces are appended before the first is committed", async () => {
    const { broker, connect } = bound(await start());
    const topic = broker.topic(plainLkc, "t");
    topic.hosted[0]!.commitsAtOnce = false;
    const client = await connect();
    const first = client.call(produce, 9, records("a"));
    const second = client.call(produce, 9, records("b"));
    const third = client.call(metadata, 9, allTopics);
    await until(() => topic.hosted[0]!.appended.length === 2, "both appended");
    topic.hosted[0]!.commit();
    const offsets = [await first, await second].map(({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset);
    expect(offsets).toEqual([0, 1]);
    expect((await third).topics.length).toBe(1);
    client.close();
  });

  test("while a leadership is about to begin all that a connection pipelined waits, and stays in order", async () => {
    const time = new ManualTime();
    const { broker, connect } = bound(await start({}, {}, { time }));
    const topic = broker.topic(plainLkc, "t");
    const hosted = topic.hosted[0]!;
    hosted.appoint(time.monotonicMs());
    const client = await connect();
    const first = client.call(produce, 9, records("a"));
    // The first was read, and waits, when others have their answer; then it leads, as the second comes.
    const other = await connect();
    await other.call(metadata, 9, allTopics);
    let settle = () => undefined as void;
    hosted.settleAppointment(true, (run) => {
      settle = run;
    });
    const second = client.call(produce, 9, records("b"));
    await other.call(metadata, 9, allTopics);
    expect(hosted.appended).toEqual([]);
    settle();
    const offsets = [await first, await second].map(({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset);
    expect(offsets).toEqual([0, 1]);
    client.close();
    other.close();
  });

  test("what a client whose connection broke had waiting for a leadership is not appended", async () => {
    const time = new ManualTime();
    const { broker, connect, server } = bound(await start({}, {}, { time }));
    const topic = broker.topic(plainLkc, "t");
    const hosted = topic.hosted[0]!;
    hosted.appoint(time.monotonicMs());
    const client = await connect();
    client.call(produce, 9, records("a")).catch(() => undefined);
    const other = await connect();
    await other.call(metadata, 9, allTopics);
    client.socket.resetAndDestroy();
    await until(() => server.connections === 1, "it is gone");
    hosted.settleAppointment(true);
    await other.call(metadata, 9, allTopics);
    expect(hosted.appended).toEqual([]);
    other.close();
  });

  test("commits are appended before the first is committed, in their order; what follows them waits", async () => {
    const { broker, connect } = bound(await start());
    broker.topic(plainLkc, "t");
    const internal = (await broker.hostGroups(1))[0]!;
    internal.commitsAtOnce = false;
    const client = await connect();
    const first = client.call(offsetCommit, 9, commitOf(1));
    await until(() => internal.appended.length === 1, "the first is appended");
    const second = client.call(offsetCommit, 9, commitOf(2));
    const found = client.call(offsetFetch, 8, { groups: [{ groupId: "g", topics: null }] });
    await until(() => internal.appended.length === 2, "the second is appended");
    internal.commit();
    for (const { topics } of [await first, await second]) expect(topics[0]?.partitions[0]?.errorCode).toBe(0);
    expect((await found).groups[0]?.topics[0]?.partitions[0]?.committedOffset).toBe(2);
    client.close();
  });

  test("a commit behind a produce waits until that is committed", async () => {
    const { broker, connect } = bound(await start());
    const topic = broker.topic(plainLkc, "t");
    const internal = (await broker.hostGroups(1))[0]!;
    topic.hosted[0]!.commitsAtOnce = false;
    const client = await connect();
    const produced = client.call(produce, 9, records("a"));
    const committed = client.call(offsetCommit, 9, commitOf(1));
    const other = await connect();
    await until(() => topic.hosted[0]!.appended.length === 1, "the first is appended");
    await other.call(offsetCommit, 9, commitOf(7));
    expect(internal.appended.length).toBe(1);
    topic.hosted[0]!.commit();
    expect((await produced).responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect((await committed).topics[0]?.partitions[0]?.errorCode).toBe(0);
    expect(internal.appended.length).toBe(2);
    client.close();
    other.close();
  });

  test("a request waits for the one before it, as in Kafka", async () => {
    const { connect } = bound(await start());
    const client = await connect();
    const creation = client.call(createTopics, 5, {
      topics: [{ name: "new", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    });
    const seen = client.call(metadata, 9, allTopics);
    expect((await creation).topics[0]?.errorCode).toBe(0);
    expect((await seen).topics.map(({ name }) => name)).toEqual(["new"]);
    client.close();
  });

  test("acks=0 has no answer; its failure closes the connection", async () => {
    const { broker, connect } = bound(await start());
    const topic = broker.topic(plainLkc, "t");
    const client = await connect();
    client.send(produce, 9, records("a", 0));
    expect((await client.call(metadata, 9, allTopics)).topics.length).toBe(1);
    expect(topic.hosted[0]!.appended.length).toBe(1);
    client.send(produce, 9, records("a", 0, "absent"));
    await client.closed;
  });

  test("a producer that ends its half after the last batch loses nothing", async () => {
    const { broker, connect } = bound(await start());
    const topic = broker.topic(plainLkc, "t");
    const client = await connect();
    for (let n = 0; n < 200; n += 1) client.send(produce, 9, records(`${n}`, 0));
    client.socket.end();
    await client.closed;
    expect(topic.hosted[0]!.appended.length).toBe(200);
  });

  test("SASL is not expected there, and the connection goes on", async () => {
    const { connect } = bound(await start());
    const client = await connect();
    const { errorCode: code } = await client.call(saslHandshake, 1, { mechanism: "PLAIN" });
    expect(code).toBe(errorCode.ILLEGAL_SASL_STATE);
    const { errorCode: refused } = await client.call(saslAuthenticate, 2, { authBytes: Buffer.from("\0a\0b") });
    expect(refused).toBe(errorCode.ILLEGAL_SASL_STATE);
    expect((await client.call(metadata, 9, allTopics)).clusterId).toBe(plainLkc);
    client.close();
  });

  test("is refused on any address but loopback", async () => {
    const { KafkaServer } = await import("../../../../broker/connection/kafka-server.ts");
    const { broker } = await start();
    const security = { kind: "plaintext", lkc: plainLkc, principal: "User:anonymous" } as const;
    const listeners = [{ name: "open", host: "0.0.0.0", port: 0, security }];
    expect(() => new KafkaServer({ listeners, services: broker })).toThrow("loopback");
  });
});

describe("versions", () => {
  test("ApiVersions from the future is answered at v0 with UNSUPPORTED_VERSION", async () => {
    const { connect } = bound(await start());
    const client = await connect();
    const frame = Buffer.from("0000000c0012006300000007ffff0000", "hex");
    client.socket.write(frame);
    const answer = await client.nextFrame();
    expect(answer.readInt32BE(0)).toBe(7);
    expect(answer.readInt16BE(4)).toBe(errorCode.UNSUPPORTED_VERSION);
    expect(answer.subarray(6).toString("hex")).toBe("00000001001200000004");
    expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0);
    client.close();
  });

  test("a client's name that is none is refused, and asked for again", async () => {
    const { connect } = bound(await start());
    const client = await connect();
    const refused = await client.call(apiVersions, 3, { clientSoftwareName: "-", clientSoftwareVersion: "1" });
    expect(refused.errorCode).toBe(errorCode.INVALID_REQUEST);
    expect((await client.call(apiVersions, 3, versions)).errorCode).toBe(0);
    client.close();
  });

  test("an unknown API, or a version that is not served, closes the connection", async () => {
    const { connect } = bound(await start());
    for (const header of ["03e70000", "00000002", "000100ff"]) {
      const client = await connect();
      client.socket.write(Buffer.from(`0000000a${header}00000001ffff`, "hex"));
      await client.closed;
    }
  });
});

describe("the SASL_SSL listener", () => {
  test("a key and its secret open the key's logical cluster and nothing else", async () => {
    const { broker, connectTls, key } = bound(await start());
    broker.topic(plainLkc, "theirs");
    broker.topic(secureLkc, "mine");
    const client = await connectTls();
    await client.call(apiVersions, 3, versions);
    expect(await client.authenticate(key.keyId, key.secret)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0 });
    const { topics, clusterId, brokers } = await client.call(metadata, 12, allTopics);
    expect(topics.map(({ name }) => name)).toEqual(["mine"]);
    expect([clusterId, brokers[0]?.host]).toEqual([secureLkc, "b1-lkc-secure.zone-1.cell.example"]);
    const value = Buffer.alloc(300_000, "x");
    broker.topic(secureLkc, "t");
    expect((await client.call(produce, 9, records(value))).responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect((await client.call(fetch, 11, fetchAll("t"))).responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(
      300_000,
    );
    client.close();
  });

  test("a wrong secret and an unknown key are refused alike, after a moment, and the connection closes", async () => {
    const { connectTls, key } = bound(await start());
    for (const [user, password] of [
      [key.keyId, "wrong"],
      ["absent", key.secret],
      ["", ""],
    ] as const) {
      const client = await connectTls();
      const startedMs = performance.now();
      const answer = await client.authenticate(user, password);
      expect(answer).toMatchObject({
        errorCode: errorCode.SASL_AUTHENTICATION_FAILED,
        errorMessage: "Authentication failed: invalid credentials",
      });
      expect(performance.now() - startedMs).toBeGreaterThan(80);
      await client.closed;
    }
  });

  test("the name that the client asked for and its key must agree", async () => {
    const { connectTls, key } = bound(await start());
    const own = await connectTls(`${secureLkc}.cell.example`);
    expect((await own.authenticate(key.keyId, key.secret)).errorCode).toBe(0);
    const other = await connectTls("lkc-other.cell.example");
    expect((await other.authenticate(key.keyId, key.secret)).errorCode).toBe(errorCode.SASL_AUTHENTICATION_FAILED);
    await other.closed;
    own.close();
  });

  test("SaslHandshake v0 is followed by bare tokens", async () => {
    const { connectTls, key } = bound(await start());
    const client = await connectTls();
    await client.call(saslHandshake, 0, { mechanism: "PLAIN" });
    const token = Buffer.from(`\0${key.keyId}\0${key.secret}`);
    const answer = client.nextFrame();
    client.socket.write(Buffer.concat([Buffer.from([0, 0, 0, token.length]), token]));
    expect((await answer).length).toBe(0);
    expect((await client.call(metadata, 9, allTopics)).clusterId).toBe(secureLkc);
    client.close();
  });

  test("anything else before authentication closes the connection without an answer", async () => {
    const { connectTls } = bound(await start());
    const client = await connectTls();
    client.send(metadata, 9, allTopics);
    await client.closed;
  });

  test("a mechanism that is not offered is named so, then the connection closes", async () => {
    const { connectTls } = bound(await start());
    const client = await connectTls();
    const answer = await client.call(saslHandshake, 1, { mechanism: "GSSAPI" });
    expect(answer).toEqual({ errorCode: errorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: ["PLAIN"] });
    await client.closed;
  });

  test("a deleted key ends its connections at their next request", async () => {
    const { broker, connectTls, key } = bound(await start());
    const client = await connectTls();
    await client.authenticate(key.keyId, key.secret);
    await client.call(metadata, 9, allTopics);
    broker.apply({ type: "api-key-deleted", keyId: key.keyId });
    client.send(metadata, 9, allTopics);
    await client.closed;
  });

  test("sessions with a lifetime are renewed in place (KIP-368)", async () => {
    const { connectTls, key } = bound(await start({ sessionLifetimeMs: 60_000 }));
    const client = await connectTls();
    expect(await client.authenticate(key.keyId, key.secret)).toMatchObject({ sessionLifetimeMs: 60_000 });
    expect(await client.authenticate(key.keyId, key.secret)).toMatchObject({ sessionLifetimeMs: 60_000 });
    expect((await client.call(metadata, 9, allTopics)).clusterId).toBe(secureLkc);
    client.close();
  });

  test("a new certificate is used by new connections", async () => {
    const { server, connectTls } = bound(await start());
    const old = await connectTls();
    const material = await issueCertificates();
    server.setTls("secure", material);
    await expect(connectTls()).rejects.toThrow(/certificate/);
    const fresh = await WireClient.connectTls(server.port("secure"), material.ca);
    expect((await fresh.call(apiVersions, 3, versions)).errorCode).toBe(0);
    expect((await old.call(apiVersions, 3, versions)).errorCode).toBe(0);
    old.close();
    fresh.close();
  });
});

describe("limits", () => {
  test("a stranger's request is bounded", async () => {
    const { connectTls } = bound(await start());
    const client = await connectTls();
    client.socket.write(Buffer.from("00080001", "hex"));
    await client.closed;
  });

  test("a tenant's too", async () => {
    const { connect } = bound(await start({ requestBytesMax: 1_000_000 }));
    const client = await connect();
    client.socket.write(Buffer.from("7fffffff", "hex"));
    await client.closed;
  });

  test("who does not authenticate in time is cut off, with or without a TLS handshake", async () => {
    const { connectTls, server } = bound(await start({ authenticateMs: 150 }));
    // On a busy machine the time may be over before the handshake is.
    const handshaken = connectTls().then(
      (client) => client.closed,
      () => undefined,
    );
    const silent = await WireClient.connect(server.port("secure"));
    await Promise.all([handshaken, silent.closed]);
  });

  test("connections are bounded for each listener and address, strangers more tightly", async () => {
    const { connect, connectTls, key, server } = bound(
      await start({ connectionsPerAddressMax: 3, connectionsPerListenerMax: 2, strangersPerListenerMax: 1 }),
    );
    const one = await connectTls();
    await (await WireClient.connect(server.port("secure"))).closed;
    await one.authenticate(key.keyId, key.secret);
    const two = await connectTls();
    await two.authenticate(key.keyId, key.secret);
    await (await WireClient.connect(server.port("secure"))).closed;
    const three = await connect();
    await (await connect()).closed;
    expect(server.connections).toBe(3);
    three.close();
    await until(() => server.connections === 2, "a place is free again");
    const four = await connect();
    expect((await four.call(apiVersions, 3, versions)).errorCode).toBe(0);
    for (const client of [one, two, four]) client.close();
  });

  test("an idle connection is closed", async () => {
    const { connect } = bound(await start({ idleMs: 100 }));
    await (await connect()).closed;
  });

  test("a peer that never takes its answers is closed, and others are served meanwhile", async () => {
    const { broker, connect, server } = bound(await start({ slowReaderMs: 300, unsentBytesMax: 65_536 }));
    const topic = broker.topic(plainLkc, "t");
    topic.hosted[0]!.add("x".repeat(4_000_000));
    const slow = await connect();
    slow.socket.pause();
    for (let n = 0; n < 20; n += 1) slow.send(fetch, 11, fetchAll("t"));
    const other = await connect();
    for (let n = 0; n < 5; n += 1) expect((await other.call(metadata, 9, allTopics)).topics.length).toBe(1);
    await until(() => server.connections === 1, "the slow peer is gone");
    other.close();
    slow.close();
  });

  test("requests in flight are bounded by not reading, and all are answered in the end", async () => {
    const { broker, connect } = bound(await start({ inFlightRequestsMax: 4 }));
    const topic = broker.topic(plainLkc, "t");
    topic.hosted[0]!.commitsAtOnce = false;
    const client = await connect();
    const answers = [...Array(50).keys()].map((n) => client.call(produce, 9, records("x".repeat(50_000) + n)));
    await until(() => topic.hosted[0]!.appended.length >= 4, "some are appended");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(topic.hosted[0]!.appended.length).toBeLessThan(12);
    topic.hosted[0]!.commitsAtOnce = true;
    topic.hosted[0]!.commit();
    const offsets = (await Promise.all(answers)).map(
      ({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset,
    );
    expect(offsets).toEqual([...Array(50).keys()]);
    client.close();
  });
});

describe("memory", () => {
  const tight = { memoryBytesMax: 4_000_000, modestMemoryBytes: 0, starvedMs: 50, slowPeerMs: 50 };

  test("large requests take turns, and every one is served", async () => {
    const { broker, connect } = bound(
      await start({ requestBytesMax: 4_000_000 }, { memoryBytesMax: 4_000_000, modestMemoryBytes: 0 }),
    );
    broker.topic(plainLkc, "t");
    const clients = await Promise.all([...Array(8).keys()].map(() => connect()));
    const value = Buffer.alloc(2_500_000, "x");
    const answers = await Promise.all(clients.map((client) => client.call(produce, 9, records(value))));
    for (const { responses } of answers) expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    for (const client of clients) client.close();
  });

  test("a sender that stops in the middle of a large request gives its memory back to those who wait", async () => {
    const { broker, connect } = bound(await start({ requestBytesMax: 4_000_000 }, tight));
    broker.topic(plainLkc, "t");
    const stalled = await connect();
    stalled.socket.write(Buffer.concat([Buffer.from([0, 0x30, 0, 0]), Buffer.alloc(100_000)]));
    const client = await connect();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const answer = await client.call(produce, 9, records(Buffer.alloc(2_500_000)));
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    await stalled.closed;
    client.close();
  });

  test("who holds little is served while others wait for room to read large requests", async () => {
    const limits = { memoryBytesMax: 5_000_000, modestMemoryBytes: 1_000_000, slowPeerMs: 60_000 };
    const { connect, connectTls, key } = bound(await start({ requestBytesMax: 4_000_000 }, limits));
    const hostile = await Promise.all([connect(), connect()]);
    for (const { socket } of hostile) socket.write(Buffer.concat([Buffer.from([0, 0x30, 0, 0]), Buffer.alloc(1000)]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const client = await connectTls();
    expect((await client.authenticate(key.keyId, key.secret)).errorCode).toBe(0);
    for (let n = 0; n < 5; n += 1) {
      expect((await client.call(metadata, 9, allTopics)).clusterId).toBe(secureLkc);
    }
    for (const each of [client, ...hostile]) each.close();
  });
});

/** The methods that tests take apart. */
function bound(server: RunningServer) {
  return {
    broker: server.broker,
    server: server.server,
    key: server.key,
    connect: () => server.connect(),
    connectTls: (serverName?: string) => server.connectTls(serverName),
  };
}
