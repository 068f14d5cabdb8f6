import { Duplex } from "node:stream";
import { connect } from "node:tls";

/** The bytes with which Node's TLS client begins: made anew, never kept in the repository. */
export function nodeClientHello(servername: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    const socket = connect({ socket: wire, ...(servername === undefined ? {} : { servername }) });
    socket.on("error", () => undefined);
    void Promise.resolve().then(() => wire.on("finish", () => socket.destroy()));
  });
}
