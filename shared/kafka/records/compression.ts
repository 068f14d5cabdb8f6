/**
 * The codecs of record batches, by the number in the batch's attributes. Synchronous, so that decision code and the
 * simulator stay deterministic; used only where records must be opened, never on the plain produce and fetch path.
 *
 * gzip and zstd come from `node:zlib`, snappy and lz4 are our own.
 */
import zlib from "node:zlib";
import { decompressedBytesMax } from "./limits.ts";
import { compressLz4, decompressLz4 } from "./lz4.ts";
import { compressSnappy, decompressSnappy } from "./snappy.ts";

export type CompressionName = "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";

/** Name by number in the attributes; 5 to 7 mean nothing. */
const names: readonly CompressionName[] = ["uncompressed", "gzip", "snappy", "lz4", "zstd"];

interface Codec {
  /** `level`: the codec's own; undefined for its default. */
  readonly compress: (bytes: Buffer, level: number | undefined) => Buffer;
  /** Throws when the bytes are damaged or unfold to more than `bytesMax`. */
  readonly decompress: (bytes: Buffer, bytesMax: number) => Buffer;
}

/** Records cannot be opened: no such codec, damaged, or larger than the bound once unfolded. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
  readonly code: "CODEC_UNKNOWN" | "DAMAGED_OR_TOO_LARGE";

  constructor(code: CompressionError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codecs: Readonly<Record<CompressionName, Codec>> = {
  uncompressed: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
  gzip: {
    compress: (bytes, level) => zlib.gzipSync(bytes, level === undefined ? {} : { level }),
    decompress: (bytes, bytesMax) => zlib.gunzipSync(bytes, { maxOutputLength: bytesMax }),
  },
  snappy: { compress: compressSnappy, decompress: decompressSnappy },
  // The level is for the slower forms of LZ4, which this is not.
  lz4: { compress: compressLz4, decompress: decompressLz4 },
  zstd: {
    compress: (bytes, level) =>
      zlib.zstdCompressSync(
        bytes,
        level === undefined ? {} : { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } },
      ),
    decompress: (bytes, bytesMax) => zlib.zstdDecompressSync(bytes, { maxOutputLength: bytesMax }),
  },
};

/** Undefined for a number that means nothing. */
export function compressionName(id: number): CompressionName | undefined {
  return names[id];
}

export function compressionId(name: CompressionName): number {
  return names.indexOf(name);
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
  if (name === undefined) throw new CompressionError("CODEC_UNKNOWN", `compression ${id} is not known`);
  return codecs[name];
}
