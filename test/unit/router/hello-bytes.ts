/** ClientHellos made to order: what real clients send is made by real clients (`real-hellos.test.ts`). */
export interface HelloParts {
  readonly names?: readonly { readonly type?: number; readonly name: string | Buffer }[];
  /** Before and after the server's name. */
  readonly before?: readonly { readonly type: number; readonly data: Buffer }[];
  readonly after?: readonly { readonly type: number; readonly data: Buffer }[];
  readonly sessionIdBytes?: number;
  readonly suites?: Buffer;
}

export function vector(size: 1 | 2, bytes: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}

export function extension(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(type);
  return Buffer.concat([head, vector(2, data)]);
}

export function serverName(names: NonNullable<HelloParts["names"]>): Buffer {
  const entries = names.map(({ type = 0, name }) => Buffer.concat([Buffer.from([type]), vector(2, Buffer.from(name))]));
  return extension(0, vector(2, Buffer.concat(entries)));
}

/** The handshake message; without `names` it carries no server's name. */
export function helloMessage(parts: HelloParts = {}): Buffer {
  const { names, before = [], after = [], sessionIdBytes = 32, suites = Buffer.from("1301c02f", "hex") } = parts;
  const extensions = Buffer.concat([
    ...before.map(({ type, data }) => extension(type, data)),
    ...(names === undefined ? [] : [serverName(names)]),
    ...after.map(({ type, data }) => extension(type, data)),
  ]);
  const body = Buffer.concat([
    Buffer.from("0303", "hex"),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(sessionIdBytes, 8)),
    vector(2, suites),
    vector(1, Buffer.from([0])),
    extensions.length === 0 ? Buffer.alloc(0) : vector(2, extensions),
  ]);
  return handshake(1, body);
}

export function handshake(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(type);
  head.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([head, body]);
}

/** The message in records with fragments of the lengths given; the last takes the rest. */
export function records(message: Buffer, fragments: readonly number[] = [], type = 22): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const length of [...fragments, message.length]) {
    const fragment = message.subarray(at, at + length);
    at += length;
    if (fragment.length > 0) parts.push(Buffer.from([type, 3, 1]), vector(2, fragment));
  }
  return Buffer.concat(parts);
}
