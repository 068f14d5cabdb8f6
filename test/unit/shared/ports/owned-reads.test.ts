import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { moveToOwnedReads } from "../../../../shared/ports/owned-reads.ts";

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

test("an accepted connection reads into our memory: this Node still has what the trick needs", async () => {
  const target = Buffer.alloc(64);
  const filled = Promise.withResolvers<number>();
  const moved = Promise.withResolvers<Socket | undefined>();
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = moveToOwnedReads(accepted, { buffer: () => target, callback: (bytes) => filled.resolve(bytes) });
    moved.resolve(socket);
    socket?.resume();
    socket?.write("answered");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as { port: number }).port, "127.0.0.1");
  closers.push(
    () => client.destroy(),
    () => server.close(),
  );
  client.write("written here");
  const answer = await new Promise((resolve) => client.once("data", (chunk) => resolve(String(chunk))));
  const bytes = await filled.promise;
  (await moved.promise)?.destroy();
  expect(await moved.promise, "undefined: connections are read by 'data' events, with one more copy").toBeDefined();
  expect(target.subarray(0, bytes).toString()).toBe("written here");
  expect(answer).toBe("answered");
});
