/**
 * Four ways to turn what a socket receives into whole frames, each in memory of its own.
 *
 * `onread` hands our memory to the read call itself, so the bytes arrive where they shall stay. Node
 * takes the option only in the constructor of a Socket, and a server makes its sockets itself: so
 * the accepted handle is moved to a new Socket (see `rewrap`). That uses `_handle`, which is not a
 * documented name; the code that depends on it must stay in one function with a test.
 */
import net from "node:net";

type Sink = (bytes: number) => void;
type Reader = (socket: net.Socket, sink: Sink) => void;

const stagingBytes = 64 * 1024;
const slabBytes = 4 * 1024 * 1024;

type OnRead = { buffer: () => Buffer; callback: (read: number) => boolean };

/** Moves an accepted, paused connection to a Socket that reads into our memory. */
export function rewrap(socket: net.Socket, onread: OnRead): net.Socket {
  const accepted = socket as unknown as { _handle: object | null };
  const handle = accepted._handle;
  accepted._handle = null;
  const options = { handle, onread, readable: true, writable: true } as unknown as net.SocketConstructorOpts;
  const moved = new net.Socket(options);
  moved.on("error", () => {});
  moved.resume();
  return moved;
}

/** Assembles frames by copying each chunk into a buffer made for the frame. */
class CopyAssembler {
  #header = Buffer.alloc(4);
  #headerFill = 0;
  #frame: Buffer | undefined;
  #fill = 0;
  readonly #sink: Sink;
  constructor(sink: Sink) {
    this.#sink = sink;
  }
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const take = Math.min(4 - this.#headerFill, chunk.length - at);
        chunk.copy(this.#header, this.#headerFill, at, at + take);
        this.#headerFill += take;
        at += take;
        if (this.#headerFill < 4) return;
        this.#frame = Buffer.allocUnsafeSlow(this.#header.readUInt32BE(0));
        this.#fill = 0;
      }
      const take = Math.min(this.#frame.length - this.#fill, chunk.length - at);
      chunk.copy(this.#frame, this.#fill, at, at + take);
      this.#fill += take;
      at += take;
      if (this.#fill === this.#frame.length) this.#emit(this.#frame);
    }
  }
  /** Where the rest of a half-read frame belongs, if one is open. */
  rest(): Buffer | undefined {
    return this.#frame?.subarray(this.#fill);
  }
  advance(bytes: number): void {
    this.#fill += bytes;
    if (this.#frame !== undefined && this.#fill === this.#frame.length) this.#emit(this.#frame);
  }
  #emit(frame: Buffer): void {
    this.#frame = undefined;
    this.#headerFill = 0;
    this.#sink(frame.length);
  }
}

const dataCopy: Reader = (socket, sink) => {
  const assembler = new CopyAssembler(sink);
  socket.on("data", (chunk: Buffer) => assembler.push(chunk));
  socket.resume();
};

/** Not a reader: what the 'data' events alone cost. */
const dataDiscard: Reader = (socket, sink) => {
  socket.on("data", (chunk: Buffer) => sink(chunk.length));
  socket.resume();
};

const dataConcat: Reader = (socket, sink) => {
  let chunks: Buffer[] = [];
  let held = 0;
  let wanted = 4;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    let all = chunks.length === 1 ? chunk : Buffer.concat(chunks, held);
    while (all.length >= 4 && all.length >= 4 + all.readUInt32BE(0)) {
      const size = all.readUInt32BE(0);
      sink(all.subarray(4, 4 + size).length);
      all = all.subarray(4 + size);
    }
    wanted = all.length >= 4 ? 4 + all.readUInt32BE(0) : 4;
    chunks = all.length > 0 ? [all] : [];
    held = all.length;
  });
  socket.resume();
};

/** A large frame's rest is read straight into its own buffer; all else through a staging buffer. */
const onreadFrame: Reader = (socket, sink) => {
  const assembler = new CopyAssembler(sink);
  const staging = Buffer.allocUnsafeSlow(stagingBytes);
  let direct = false;
  rewrap(socket, {
    buffer() {
      const rest = assembler.rest();
      direct = rest !== undefined && rest.length >= stagingBytes / 4;
      return direct && rest !== undefined ? rest : staging;
    },
    callback(read) {
      if (direct) assembler.advance(read);
      else assembler.push(staging.subarray(0, read));
      return true;
    },
  });
};

/** Everything is read into slabs; frames are views; only a frame cut by a slab's end is copied. */
const onreadSlab: Reader = (socket, sink) => {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let start = 0;
  let end = 0;
  const roll = (wanted: number): void => {
    const next = Buffer.allocUnsafeSlow(Math.max(slabBytes, wanted));
    slab.copy(next, 0, start, end);
    end -= start;
    start = 0;
    slab = next;
  };
  rewrap(socket, {
    buffer: () => slab.subarray(end),
    callback(read) {
      end += read;
      while (end - start >= 4 && end - start >= 4 + slab.readUInt32BE(start)) {
        const size = slab.readUInt32BE(start);
        sink(slab.subarray(start + 4, start + 4 + size).length);
        start += 4 + size;
      }
      const wanted = end - start >= 4 ? 4 + slab.readUInt32BE(start) : stagingBytes;
      if (slab.length - start < wanted || slab.length - end < stagingBytes / 4) roll(wanted);
      return true;
    },
  });
};

export const readers: Record<string, Reader> = {
  "data-copy": dataCopy,
  "data-discard": dataDiscard,
  "data-concat": dataConcat,
  "onread-frame": onreadFrame,
  "onread-slab": onreadSlab,
};
