/**
 * PROXY protocol, version 2: what a proxy sends ahead of a connection, so that whoever accepts it knows the client. The
 * format is HAProxy's (proxy-protocol.txt, section 2.2); a header is
 *
 *     signature (12) | version 2, command (1) | family, transport (1) | length (2) | addresses | additions (TLVs)
 *
 * Additions are passed over. Version 1, which is text, is not read: nothing here sends it.
 */
import { isIPv4, isIPv6 } from "node:net";
import { type AddressBytes, formatAddress, parseAddress } from "./address-bytes.ts";
import { proxyHeaderBytesMax } from "./limits.ts";

export interface SocketEndpoint {
  /** An IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
}

export interface ProxiedConnection {
  /** The client. */
  readonly source: SocketEndpoint;
  /** Where the client connected to. */
  readonly destination: SocketEndpoint;
}

export type ProxyHeader =
  /** The bytes are a beginning of a header. */
  | { readonly kind: "more" }
  /** A client's connection; `bytes` is the header's length, what follows is the client's. */
  | { readonly kind: "proxied"; readonly bytes: number; readonly connection: ProxiedConnection }
  /** The proxy's own connection, such as a health check: the addresses are those of the socket. */
  | { readonly kind: "local"; readonly bytes: number }
  | { readonly kind: "malformed"; readonly why: ProxyHeaderFault };

export type ProxyHeaderFault = "no-signature" | "version" | "command" | "family" | "length";

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const fixedBytes = 16;
const versionAndLocal = 0x20;
const versionAndProxy = 0x21;
/** TCP over IPv4 and over IPv6; for all else (datagrams, Unix sockets) no listener of ours stands. */
const tcp4 = 0x11;
const tcp6 = 0x21;
const unspecified = 0x00;
const addressBytes = { [tcp4]: 4, [tcp6]: 16 } as const;

/** Reads the header at the start of `bytes`. Looks at no more than the header, so calling it again with more is cheap. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const seen = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, seen, 0, seen) !== 0) return { kind: "malformed", why: "no-signature" };
  if (bytes.length < fixedBytes) return { kind: "more" };
  const versionAndCommand = bytes.readUInt8(12);
  if (versionAndCommand >> 4 !== 2) return { kind: "malformed", why: "version" };
  if (versionAndCommand !== versionAndLocal && versionAndCommand !== versionAndProxy) {
    return { kind: "malformed", why: "command" };
  }
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (length > proxyHeaderBytesMax) return { kind: "malformed", why: "length" };
  if (bytes.length < length) return { kind: "more" };
  if (versionAndCommand === versionAndLocal) return { kind: "local", bytes: length };
  return readAddresses(bytes.subarray(0, length));
}

function readAddresses(header: Buffer): ProxyHeader {
  const family = header.readUInt8(13);
  // A proxy that does not know the client says so: the receiver is to use what the socket tells.
  if (family === unspecified) return { kind: "local", bytes: header.length };
  if (family !== tcp4 && family !== tcp6) return { kind: "malformed", why: "family" };
  const size = addressBytes[family];
  const portsAt = fixedBytes + 2 * size;
  if (header.length < portsAt + 4) return { kind: "malformed", why: "length" };
  const addressAt = (at: number) => formatAddress(header.subarray(at, at + size));
  return {
    kind: "proxied",
    bytes: header.length,
    connection: {
      source: { address: addressAt(fixedBytes), port: header.readUInt16BE(portsAt) },
      destination: { address: addressAt(fixedBytes + size), port: header.readUInt16BE(portsAt + 2) },
    },
  };
}

/** The header for a client's connection. Addresses of two families are both written as IPv6. */
export function formatProxyHeader({ source, destination }: ProxiedConnection): Buffer {
  const family = isIPv4(source.address) && isIPv4(destination.address) ? tcp4 : tcp6;
  const size = addressBytes[family];
  const header = startHeader(versionAndProxy, family, 2 * size + 4);
  const write = (address: string, at: number) => parsedAddress(address, size).copy(header, at);
  write(source.address, fixedBytes);
  write(destination.address, fixedBytes + size);
  header.writeUInt16BE(source.port, fixedBytes + 2 * size);
  header.writeUInt16BE(destination.port, fixedBytes + 2 * size + 2);
  return header;
}

/** The header for a connection of the proxy's own. */
export function formatLocalHeader(): Buffer {
  return startHeader(versionAndLocal, unspecified, 0);
}

function startHeader(versionAndCommand: number, family: number, length: number): Buffer {
  const header = Buffer.alloc(fixedBytes + length);
  signature.copy(header);
  header.writeUInt8(versionAndCommand, 12);
  header.writeUInt8(family, 13);
  header.writeUInt16BE(length, 14);
  return header;
}

function parsedAddress(address: string, size: AddressBytes): Buffer {
  if (!isIPv4(address) && !isIPv6(address)) throw new Error(`${address} is no IP address`);
  return parseAddress(address, size);
}
