/**
 * Reads the server's name out of a TLS ClientHello (RFC 8446, 6066) without taking part in the handshake. The bytes are
 * a stranger's: every length is checked, and no more than `clientHelloBytesMax` bytes are kept.
 *
 *   bytes ─▶ records (5 bytes of header, a fragment) ─▶ handshake message (4 bytes of header, a body) ─▶ extensions ─▶ name
 *
 * Fragments may be cut anywhere, over packets and over records. Unknown suites, groups and extensions, GREASE among them,
 * are passed over. Encrypted ClientHello shows its outer name, which is what a router can know.
 */
import { strict as assert } from "node:assert";
import { clientHelloBytesMax } from "./limits.ts";
import type { TlsAlert } from "./tls-alert.ts";

export type HelloRefusal =
  /** No TLS at all: HTTP, the Kafka protocol without encryption, a port scan. */
  | "not-tls"
  /** SSLv2's form of the hello, or a record of no version of TLS. */
  | "old-tls"
  /** TLS, but not a ClientHello first. */
  | "not-a-hello"
  | "too-large"
  | "malformed"
  | "no-name";

export type HelloOutcome =
  | { readonly kind: "more" }
  /** In lower case; letters, digits, `-`, `_` and dots. */
  | { readonly kind: "name"; readonly name: string }
  /** `alert`: what a client that speaks TLS is told. */
  | { readonly kind: "refused"; readonly reason: HelloRefusal; readonly alert: TlsAlert | undefined };

const recordHeaderBytes = 5;
const recordBytesMax = 2 ** 14;
const handshakeHeaderBytes = 4;
const contentType = { alert: 21, handshake: 22, lowest: 20, highest: 24 } as const;
const tlsMajor = 3;
const clientHelloType = 1;
const ssl2HelloType = 1;
const randomBytes = 32;
const sessionIdBytesMax = 32;
const serverNameExtension = 0;
const hostNameType = 0;
/** Longest name in DNS. */
const hostNameBytesMax = 255;
const hostNamePattern = /^[a-z0-9_.-]+$/;

const more: HelloOutcome = Object.freeze({ kind: "more" });

/** Reads one ClientHello, piece by piece. After an outcome other than `more` it takes nothing more. */
export class ClientHelloReader {
  #recordHeader = Buffer.alloc(recordHeaderBytes);
  #recordHeaderSeen = 0;
  /** Bytes of the current record's fragment that are still to come. */
  #fragmentLeft = 0;
  /** The handshake message as far as it came, in memory that grows by doubling. */
  #message = Buffer.alloc(0);
  #memory = Buffer.alloc(0);
  #bytesSeen = 0;
  #outcome: HelloOutcome = more;

  push(chunk: Buffer): HelloOutcome {
    assert(this.#outcome.kind === "more", "a hello is read once");
    this.#bytesSeen += chunk.length;
    let at = 0;
    while (at < chunk.length && this.#outcome.kind === "more") {
      at += this.#fragmentLeft > 0 ? this.#takeFragment(chunk, at) : this.#takeHeader(chunk, at);
    }
    if (this.#outcome.kind === "more" && this.#bytesSeen > clientHelloBytesMax) return this.#refuse("too-large");
    return this.#outcome;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const header = this.#recordHeader;
    const taken = chunk.copy(header, this.#recordHeaderSeen, at, at + recordHeaderBytes - this.#recordHeaderSeen);
    this.#recordHeaderSeen += taken;
    const first = this.#message.length === 0;
    if (first && !looksLikeTls(header.subarray(0, this.#recordHeaderSeen))) this.#refuseNoTls();
    if (this.#recordHeaderSeen < recordHeaderBytes || this.#outcome.kind !== "more") return taken;
    this.#recordHeaderSeen = 0;
    this.#fragmentLeft = header.readUInt16BE(3);
    if (header.readUInt8(0) !== contentType.handshake || header.readUInt8(1) !== tlsMajor) this.#refuse("not-a-hello");
    else if (this.#fragmentLeft > recordBytesMax) this.#refuse("too-large");
    // A handshake fragment may not be empty (RFC 8446, 5.1).
    else if (this.#fragmentLeft === 0) this.#refuse("malformed");
    return taken;
  }

  #takeFragment(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#fragmentLeft, chunk.length - at);
    this.#fragmentLeft -= taken;
    const message = this.#append(chunk.subarray(at, at + taken));
    if (message.readUInt8(0) !== clientHelloType) {
      this.#refuse("not-a-hello");
    } else if (message.length >= handshakeHeaderBytes) {
      const length = message.readUIntBE(1, 3);
      if (handshakeHeaderBytes + length > clientHelloBytesMax) this.#refuse("too-large");
      else if (message.length >= handshakeHeaderBytes + length) {
        this.#outcome = readBody(message.subarray(handshakeHeaderBytes, handshakeHeaderBytes + length));
      }
    }
    return taken;
  }

  #append(fragment: Buffer): Buffer {
    const length = this.#message.length + fragment.length;
    if (length > this.#memory.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#memory.length));
      this.#message.copy(grown);
      this.#memory = grown;
    }
    fragment.copy(this.#memory, this.#message.length);
    this.#message = this.#memory.subarray(0, length);
    return this.#message;
  }

  #refuseNoTls(): void {
    const [first = 0, , third] = this.#recordHeader.subarray(0, this.#recordHeaderSeen);
    const ssl2 = first >= 0x80 && (third === undefined || third === ssl2HelloType);
    // Two bytes of SSLv2's header may be anything: its third tells.
    if (first >= 0x80 && third === undefined) return;
    if (ssl2 || isContentType(first)) this.#refuse("old-tls");
    else this.#refuse("not-tls");
  }

  #refuse(reason: Exclude<HelloRefusal, "no-name">): HelloOutcome {
    this.#outcome = refused(reason);
    return this.#outcome;
  }
}

const alerts: Readonly<Record<HelloRefusal, TlsAlert | undefined>> = {
  "not-tls": undefined,
  "old-tls": "protocol_version",
  "not-a-hello": "unexpected_message",
  "too-large": "decode_error",
  malformed: "decode_error",
  // A server that needs a name answers so (RFC 8446, 9.2).
  "no-name": "missing_extension",
};

function refused(reason: HelloRefusal): HelloOutcome {
  return { kind: "refused", reason, alert: alerts[reason] };
}

function isContentType(byte: number): boolean {
  return byte >= contentType.lowest && byte <= contentType.highest;
}

/** Judges as much of a record's header as has come. */
function looksLikeTls(header: Buffer): boolean {
  const [type = contentType.handshake, major = tlsMajor] = header;
  return isContentType(type) && major === tlsMajor;
}

/** The fields of the hello before its extensions are measured and passed over. */
function readBody(body: Buffer): HelloOutcome {
  const fields = new Fields(body);
  fields.skip(2 + randomBytes);
  const sessionId = fields.vector(1);
  const suites = fields.vector(2);
  const compressions = fields.vector(1);
  if (fields.broken || sessionId.length > sessionIdBytesMax || suites.length < 2 || suites.length % 2 !== 0) {
    return refused("malformed");
  }
  if (compressions.length === 0) return refused("malformed");
  if (fields.left === 0) return refused("no-name");
  const extensions = new Fields(fields.vector(2));
  if (fields.broken || fields.left > 0) return refused("malformed");
  return readExtensions(extensions);
}

function readExtensions(extensions: Fields): HelloOutcome {
  let found: HelloOutcome | undefined;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.broken) return refused("malformed");
    if (type !== serverNameExtension) continue;
    // Each extension stands once.
    if (found !== undefined) return refused("malformed");
    found = readServerName(new Fields(data));
  }
  return found ?? refused("no-name");
}

function readServerName(data: Fields): HelloOutcome {
  const names = new Fields(data.vector(2));
  if (data.broken || data.left > 0 || names.left === 0) return refused("malformed");
  let found: string | undefined;
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.vector(2);
    if (names.broken || name.length === 0) return refused("malformed");
    if (type !== hostNameType) continue;
    const text = name.toString("latin1").toLowerCase();
    if (found !== undefined || name.length > hostNameBytesMax || !hostNamePattern.test(text)) {
      return refused("malformed");
    }
    found = text;
  }
  return found === undefined ? refused("no-name") : { kind: "name", name: found };
}

/** Walks over bytes; once something does not fit, it is `broken` and gives nothing more. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;
  broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.broken ? 0 : this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number {
    if (this.left < size) {
      this.broken = true;
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  skip(bytes: number): void {
    if (this.left < bytes) this.broken = true;
    else this.#at += bytes;
  }

  /** Bytes behind a length of `size` bytes. */
  vector(size: 1 | 2): Buffer {
    const length = this.number(size);
    const start = this.#at;
    this.skip(length);
    return this.broken ? Buffer.alloc(0) : this.#bytes.subarray(start, start + length);
  }
}
