/**
 * The codecs of record batches, by the number in the batch's attributes. Synchronous, so that decision code and the
 * simulator stay deterministic; used only where records must be opened, never on the plain produce and fetch path.
 *
 * gzip and zstd come from `node:zlib`. snappy and lz4 are known here but have no implementation yet: `registerCodec` takes
 * one. Batches in them are stored and served as they are.
 */
import zlib from "node:zlib";
import { decompressedBytesMax } from "./limits.ts";

export type CompressionName = "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";

/** Name by number in the attributes; 5 to 7 mean nothing. */
const names: readonly CompressionName[] = ["uncompressed", "gzip", "snappy", "lz4", "zstd"];

export interface Codec {
  /** `level`: the codec's own; undefined for its default. */
  compress(bytes: Buffer, level: number | undefined): Buffer;
  /** Throws when the bytes are damaged or unfold to more than `bytesMax`. */
  decompress(bytes: Buffer, bytesMax: number): Buffer;
}

/** Records cannot be opened: no such codec here, damaged, or larger than the bound once unfolded. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
  readonly code: "CODEC_MISSING" | "DAMAGED_OR_TOO_LARGE";

  constructor(code: CompressionError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codecs = new Map<CompressionName, Codec>([
  ["uncompressed", { compress: (bytes) => bytes, decompress: (bytes) => bytes }],
  [
    "gzip",
    {
      compress: (bytes, level) => zlib.gzipSync(bytes, level === undefined ? {} : { level }),
      decompress: (bytes, bytesMax) => zlib.gunzipSync(bytes, { maxOutputLength: bytesMax }),
    },
  ],
  [
    "zstd",
    {
      compress: (bytes, level) =>
        zlib.zstdCompressSync(
          bytes,
          level === undefined ? {} : { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } },
        ),
      decompress: (bytes, bytesMax) => zlib.zstdDecompressSync(bytes, { maxOutputLength: bytesMax }),
    },
  ],
]);

/** Adds the implementation of a codec that Node does not bring. */
export function registerCodec(name: "snappy" | "lz4", codec: Codec): void {
  codecs.set(name, codec);
}

/** Undefined for a number that means nothing. */
export function compressionName(id: number): CompressionName | undefined {
  return names[id];
}

export function compressionId(name: CompressionName): number {
  return names.indexOf(name);
}

/** Can records in this codec be opened and made here? */
export function hasCodec(id: number): boolean {
  const name = names[id];
  return name !== undefined && codecs.has(name);
}

/** Throws a CompressionError. */
export function compress(id: number, bytes: Buffer, level?: number): Buffer {
  return codecOf(id).compress(bytes, level);
}

/** Throws a CompressionError. */
export function decompress(id: number, bytes: Buffer, bytesMax = decompressedBytesMax): Buffer {
  const codec = codecOf(id);
  try {
    return codec.decompress(bytes, bytesMax);
  } catch (cause) {
    throw new CompressionError("DAMAGED_OR_TOO_LARGE", `${names[id]}: damaged, or more than ${bytesMax} bytes`, {
      cause,
    });
  }
}

function codecOf(id: number): Codec {
  const name = names[id];
  const codec = name === undefined ? undefined : codecs.get(name);
  if (codec === undefined) {
    throw new CompressionError("CODEC_MISSING", `no implementation of compression ${name ?? id}`);
  }
  return codec;
}
