import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeClientHello } from "../../../bench/router/client-hello.ts";
import type { Route } from "../../../router/routing-table-core.ts";
import { formatLocalHeader, formatProxyHeader } from "../../../shared/proxy-protocol/proxy-header.ts";
import { closed, FakeBroker, type RouterOptions, RunningRouter, rest } from "./running-router.ts";

const name = "lkc-aaa.example";
const lkc = "lkc-aaa";
let broker: FakeBroker;
let router: RunningRouter | undefined;
beforeEach(async () => {
  broker = await FakeBroker.start();
});
afterEach(async () => {
  await router?.stop();
  expect(router?.server.connections ?? 0).toBe(0);
  broker.close();
});

const toBroker = (): Route => ({ kind: "brokers", lkc, candidates: [broker.routed()] });

async function start(options: Partial<RouterOptions> = {}): Promise<RunningRouter> {
  router = await RunningRouter.start({ routes: { [name]: toBroker() }, ...options });
  return router;
}

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("a routed connection", () => {
  test("brings the client's address, its hello unchanged, and all bytes both ways", async () => {
    const running = await start();
    const hello = await nodeClientHello(name);
    const client = await running.connect(hello);
    const arrived = await broker.next();
    expect(arrived.connection.source).toEqual({ address: "127.0.0.1", port: client.localPort });
    expect(arrived.connection.destination.port).toBe(running.server.port);
    expect((await arrived.bytes(hello.length)).equals(hello)).toBe(true);
    const [up, down] = [randomBytes(5_000_000), randomBytes(3_000_000)];
    client.end(up);
    arrived.socket.end(down);
    expect(digest(await rest(client))).toBe(digest(down));
    const received = await arrived.bytes(hello.length + up.length);
    expect(digest(received.subarray(hello.length))).toBe(digest(up));
  });

  test("small messages go to and fro while large ones are under way elsewhere", async () => {
    const running = await start();
    const bulk = await running.hello(name);
    const bulkEnd = await broker.next();
    const chatty = await running.hello(name);
    const chattyEnd = await broker.next();
    const large = randomBytes(8_000_000);
    bulk.end(large);
    const helloBytes = (await nodeClientHello(name)).length;
    for (let round = 1; round <= 50; round++) {
      chatty.write(Buffer.alloc(700, round));
      await chattyEnd.bytes(helloBytes + 700 * round);
      chattyEnd.socket.write(Buffer.alloc(3_000, round));
      for (let got = 0; got < 3_000; ) got += ((await once(chatty, "data")) as [Buffer])[0].length;
    }
    expect(digest((await bulkEnd.bytes(helloBytes + large.length)).subarray(helloBytes))).toBe(digest(large));
  });

  test("a side that does not read stops the other one, and nothing is lost when it goes on", async () => {
    const running = await start();
    const client = await running.hello(name);
    const arrived = await broker.next();
    const helloBytes = (await nodeClientHello(name)).length;
    await arrived.bytes(helloBytes);
    arrived.socket.pause();
    const piece = randomBytes(1_000_000);
    const sent = 30;
    // More than the kernel's buffers and the router's one can hold.
    for (let count = 0; count < sent; count++) client.write(piece);
    const carried = () => running.metrics.valueOf("routerBytes", { lkc, direction: "in" });
    let before = -1;
    while (carried() !== before) {
      before = carried();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeLessThan(sent * piece.length);
    arrived.socket.resume();
    client.end();
    const received = await arrived.bytes(helloBytes + sent * piece.length);
    expect(digest(received.subarray(-piece.length))).toBe(digest(piece));
  });

  test("the end of one half is handed on, and the answer still comes", async () => {
    const running = await start();
    const client = await running.hello(name);
    const arrived = await broker.next();
    client.end("last request");
    await once(arrived.socket, "end");
    arrived.socket.end("last answer");
    expect((await rest(client)).toString()).toBe("last answer");
  });

  test("a broker that dies takes its clients' connections along, and the other way round", async () => {
    const running = await start();
    const client = await running.hello(name);
    const first = await broker.next();
    first.socket.resetAndDestroy();
    await closed(client);
    const other = await running.hello(name);
    const second = await broker.next();
    await second.bytes(10);
    other.resetAndDestroy();
    await closed(second.socket);
  });

  test("the next candidate is tried when the first does not take connections", async () => {
    const dead = await FakeBroker.start();
    const gone = dead.routed(2);
    dead.close();
    const candidates = [gone, broker.routed()];
    const running = await start({ routes: { [name]: { kind: "brokers", lkc, candidates } } });
    await running.hello(name);
    await (await broker.next()).bytes(10);
  });

  test("a broker that is given up has its connections reset, and others keep theirs", async () => {
    const other = await FakeBroker.start();
    const routes = { [name]: toBroker(), "lkc-bbb.example": { ...toBroker(), candidates: [other.routed(2)] } as Route };
    const running = await start({ routes });
    const cut = await running.hello(name);
    await (await broker.next()).bytes(10);
    const kept = await running.hello("lkc-bbb.example");
    const keptEnd = await other.next();
    await keptEnd.bytes(10);
    running.server.cutBroker(broker.routed());
    await closed(cut);
    keptEnd.socket.write("still there");
    expect(String((await once(kept, "data"))[0])).toBe("still there");
    expect(running.metrics.valueOf("routerClosed", { reason: "broker-dead" })).toBe(1);
    other.close();
  });
});

/** The alert's number in what the router answered; 0 when it said nothing. */
async function alertOf(answer: Promise<Buffer>): Promise<number> {
  const bytes = await answer;
  return bytes.length === 7 && bytes[0] === 21 && bytes[5] === 2 ? (bytes[6] ?? 0) : 0;
}

describe("who is refused", () => {
  test("a name that nobody has hears unrecognized_name; the log has the name", async () => {
    const running = await start();
    expect(await alertOf(rest(await running.hello("lkc-nobody.example")))).toBe(112);
    expect(running.warnings).toEqual([["name-unknown", { name: "lkc-nobody.example", address: "127.0.0.1" }]]);
  });

  test("no name hears missing_extension; a cell without brokers, which may pass, and what is no TLS hear nothing", async () => {
    const running = await start({ routes: { [name]: { kind: "unavailable", lkc } } });
    expect(await alertOf(rest(await running.hello(undefined)))).toBe(109);
    expect((await rest(await running.hello(name))).length).toBe(0);
    expect((await rest(await running.connect(Buffer.from("GET / HTTP/1.1\r\n\r\n")))).length).toBe(0);
    expect([running.refused("no-name"), running.refused("no-broker"), running.refused("not-tls")]).toEqual([1, 1, 1]);
  });

  test("a name that was made a moment ago is looked for in the logs once more", async () => {
    const routes: Record<string, Route> = {};
    const running = await start({
      routes,
      refresh: () => {
        routes[name] = toBroker();
        return Promise.resolve();
      },
    });
    await running.hello(name);
    await (await broker.next()).bytes(10);
  });

  test("a client that leaves while its name is looked for leaves nothing behind", async () => {
    const looked = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const running = await start({
      refresh: () => {
        asked.resolve();
        return looked.promise;
      },
    });
    const client = await running.hello("lkc-nobody.example");
    await asked.promise;
    client.destroy();
    looked.resolve();
    await running.server.untilEmpty();
  });

  test("too many of one address, too many of one cluster", async () => {
    const running = await start({ limits: { connectionsPerClusterMax: 1, connectionsPerAddressMax: 2 } });
    await running.hello(name);
    await (await broker.next()).bytes(10);
    await rest(await running.hello(name));
    expect(running.refused("cluster-full")).toBe(1);
    await running.connect();
    await rest(await running.connect());
    expect(running.refused("address-full")).toBe(1);
  });

  test("everybody, once the router drains; what runs goes on to its end", async () => {
    const running = await start();
    const client = await running.hello(name);
    const arrived = await broker.next();
    await arrived.bytes(10);
    const stranger = await running.connect();
    running.server.close();
    await rest(stranger);
    await expect(running.connect()).rejects.toThrow("ECONNREFUSED");
    arrived.socket.write("answer");
    expect(String((await once(client, "data"))[0])).toBe("answer");
    client.end();
    arrived.socket.end();
    await running.server.untilEmpty();
  });
});

describe("behind a balancer", () => {
  const far = {
    source: { address: "203.0.113.9", port: 40_000 },
    destination: { address: "198.51.100.1", port: 9_092 },
  };

  test("the client's address comes from the balancer's header, and goes on to the broker", async () => {
    const running = await start({ proxies: ["127.0.0.0/8"] });
    await running.hello(name, formatProxyHeader(far));
    expect((await broker.next()).connection).toEqual(far);
  });

  test("limits count clients, not balancers", async () => {
    const running = await start({ proxies: ["127.0.0.1"], limits: { connectionsPerAddressMax: 1 } });
    await running.hello(name, formatProxyHeader(far));
    await (await broker.next()).bytes(10);
    await rest(await running.hello(name, formatProxyHeader(far)));
    expect(running.refused("address-full")).toBe(1);
    await running.hello(name, formatProxyHeader({ ...far, source: { address: "203.0.113.10", port: 1 } }));
    await (await broker.next()).bytes(10);
  });

  test("a connection without the header is closed, and so is one from anywhere else", async () => {
    const running = await start({ proxies: ["127.0.0.1"] });
    await rest(await running.hello(name));
    expect(running.refused("no-proxy-header")).toBe(1);
    await running.stop();
    const strict = await start({ proxies: ["10.0.0.0/8"] });
    await rest(await strict.hello(name, formatProxyHeader(far)));
    expect(strict.refused("not-a-proxy")).toBe(1);
  });

  test("a health check is answered by an end and counts as nobody", async () => {
    const running = await start({ proxies: ["127.0.0.1"] });
    const check = await running.connect(formatLocalHeader());
    check.end();
    expect((await rest(check)).length).toBe(0);
    await running.server.untilEmpty();
    expect(running.warnings).toEqual([]);
  });
});
