/**
 * Stands for a broker behind a router: `node bench/router/sink-process.ts`. Passes over the PROXY header and the hello, then
 * obeys the first byte: `e` echoes what comes, `d` throws it away and answers the count of bytes at the end, `s` sends as
 * many MiB as the next byte says. Prints its port.
 */
import { createServer, type Socket } from "node:net";
import { readProxyHeader } from "../../shared/proxy-protocol/proxy-header.ts";

const mebibyte = 1024 * 1024;
const chunk = Buffer.alloc(65_536, "s");

function serve(socket: Socket): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  let mode = "";
  let bytes = 0;
  socket.on("error", () => undefined);
  socket.on("end", () => {
    if (mode === "d") socket.end(String(bytes));
    else socket.end();
  });
  const obey = (data: Buffer) => {
    if (mode === "e") socket.write(data);
    bytes += data.length;
  };
  socket.on("data", (data: Buffer) => {
    if (head === undefined) return obey(data);
    head = Buffer.concat([head, data]);
    const proxy = readProxyHeader(head);
    const start = proxy.kind === "proxied" || proxy.kind === "local" ? proxy.bytes : 0;
    if (proxy.kind === "more" || head.length < start + 5) return;
    const end = start + 5 + head.readUInt16BE(start + 3);
    if (head.length < end + 2) return;
    mode = String.fromCharCode(head.readUInt8(end));
    const mebibytes = head.readUInt8(end + 1);
    const rest = head.subarray(end + 2);
    head = undefined;
    if (rest.length > 0) obey(rest);
    if (mode === "s") send(socket, mebibytes * mebibyte);
  });
}

function send(socket: Socket, bytes: number): void {
  let left = bytes;
  const go = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) {
        socket.once("drain", go);
        return;
      }
    }
    socket.end();
  };
  go();
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
server.listen({ host: "127.0.0.1", port: 0, backlog: 4_096 }, () => {
  process.stdout.write(`${(server.address() as { readonly port: number }).port}\n`);
});
