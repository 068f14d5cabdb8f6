/**
 * Objects in an S3 bucket. Every upload carries a CRC-32 that S3 verifies and keeps; whole downloads are verified by the
 * SDK. A call is one attempt: a conditional put that succeeded and was retried inside the SDK would look like a conflict.
 */
import { crc32 } from "node:zlib";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import type { StoreFailure } from "../item-store/item-store.ts";
import type { Timers } from "../ports/timers.ts";
import { listPageKeysMax, objectCallTimeoutMs } from "./limits.ts";
import { keyFault } from "./object-key.ts";
import type { ObjectGetResult, ObjectListResult, ObjectStore, ObjectWriteResult } from "./object-store.ts";

export interface S3ObjectStoreOptions {
  readonly bucket: string;
  readonly client: S3Client;
  readonly timers: Timers;
  readonly timeoutMs?: number;
}

/** A client as this store needs it: one attempt a call. Region, endpoint and credentials come from `config`. */
export function s3Client(config: S3ClientConfig): S3Client {
  return new S3Client({ ...config, maxAttempts: 1 });
}

type Outcome<O> =
  | { readonly kind: "answered"; readonly output: O }
  | { readonly kind: "named"; readonly name: string }
  | StoreFailure;

export class S3ObjectStore implements ObjectStore {
  readonly #bucket: string;
  readonly #client: S3Client;
  readonly #timers: Timers;
  readonly #timeoutMs: number;

  constructor(options: S3ObjectStoreOptions) {
    this.#bucket = options.bucket;
    this.#client = options.client;
    this.#timers = options.timers;
    this.#timeoutMs = options.timeoutMs ?? objectCallTimeoutMs;
  }

  async put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    const fault = keyFault(key);
    if (fault !== undefined) {
      return { kind: "invalid", message: fault };
    }
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(body));
    const ifAbsent = options.ifAbsent ? { IfNoneMatch: "*" } : {};
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ChecksumCRC32: checksum.toString("base64"),
      ...ifAbsent,
    });
    const outcome = await this.#attempt(true, (abortSignal) => this.#client.send(command, { abortSignal }));
    switch (outcome.kind) {
      case "answered":
        return { kind: "done" };
      case "named":
        if (outcome.name === "PreconditionFailed") {
          return { kind: "conflict" };
        }
        // S3 did not decide between two conditional writes at once, and did neither: try again.
        return { kind: "throttled", message: outcome.name };
      default:
        return outcome;
    }
  }

  async get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    if (range !== undefined && range.start >= range.end) {
      return this.#emptyRange(key);
    }
    const bytes = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` };
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...bytes });
    // The body is part of the attempt: it may stop in the middle.
    const outcome = await this.#attempt(false, async (abortSignal) => {
      const { Body: stream, ContentRange: contentRange } = await this.#client.send(command, { abortSignal });
      const body = Buffer.from((await stream?.transformToByteArray()) ?? []);
      return { body, totalBytes: totalBytes(contentRange) ?? body.length };
    });
    switch (outcome.kind) {
      case "answered":
        return { kind: "found", ...outcome.output };
      case "named":
        return outcome.name === "InvalidRange" ? this.#emptyRange(key) : { kind: "absent" };
      default:
        return outcome;
    }
  }

  async list(prefix: string, startAfter?: string): Promise<ObjectListResult> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      MaxKeys: listPageKeysMax,
      ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
    });
    const outcome = await this.#attempt(false, (abortSignal) => this.#client.send(command, { abortSignal }));
    switch (outcome.kind) {
      case "answered": {
        const { Contents: contents = [], IsTruncated: more = false } = outcome.output;
        return { kind: "page", keys: contents.flatMap(({ Key: key }) => (key === undefined ? [] : [key])), more };
      }
      case "named":
        return { kind: "unavailable", message: outcome.name };
      default:
        return outcome;
    }
  }

  async delete(key: string): Promise<ObjectWriteResult> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    const outcome = await this.#attempt(true, (abortSignal) => this.#client.send(command, { abortSignal }));
    switch (outcome.kind) {
      case "answered":
        return { kind: "done" };
      case "named":
        return outcome.name === "ConditionalRequestConflict"
          ? { kind: "throttled", message: outcome.name }
          : { kind: "done" };
      default:
        return outcome;
    }
  }

  /** No bytes of an object, but its size; a range that begins at or behind its end. */
  async #emptyRange(key: string): Promise<ObjectGetResult> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key });
    const outcome = await this.#attempt(false, (abortSignal) => this.#client.send(command, { abortSignal }));
    switch (outcome.kind) {
      case "answered":
        return { kind: "found", body: Buffer.alloc(0), totalBytes: outcome.output.ContentLength ?? 0 };
      case "named":
        return { kind: "absent" };
      default:
        return outcome;
    }
  }

  async #attempt<O>(writes: boolean, send: (abortSignal: AbortSignal) => Promise<O>): Promise<Outcome<O>> {
    const abort = new AbortController();
    const cancel = this.#timers.after(this.#timeoutMs, () => abort.abort());
    try {
      return { kind: "answered", output: await send(abort.signal) };
    } catch (error) {
      return outcomeOf(error, writes);
    } finally {
      cancel();
    }
  }
}

/** `bytes 0-99/1234` → 1234. */
function totalBytes(contentRange: string | undefined): number | undefined {
  const [, total] = /\/(\d+)$/.exec(contentRange ?? "") ?? [];
  return total === undefined ? undefined : Number(total);
}

/** Answers that a caller tells apart, by S3's names; HEAD has no body, so there it is the bare status. */
const answersByName: Readonly<Record<string, string>> = {
  PreconditionFailed: "PreconditionFailed",
  ConditionalRequestConflict: "ConditionalRequestConflict",
  NoSuchKey: "NoSuchKey",
  NotFound: "NoSuchKey",
  InvalidRange: "InvalidRange",
};

const throttledNames: ReadonlySet<string> = new Set(["SlowDown", "ThrottlingException", "RequestLimitExceeded"]);
const refusedNames: ReadonlySet<string> = new Set([
  "NoSuchBucket",
  "AccessDenied",
  "InvalidAccessKeyId",
  "ExpiredToken",
  "SignatureDoesNotMatch",
  "CredentialsProviderError",
]);
const invalidNames: ReadonlySet<string> = new Set(["EntityTooLarge", "KeyTooLongError", "BadDigest", "InvalidDigest"]);
/** No connection was made, so nothing was sent. */
const notSentCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

function outcomeOf(error: unknown, writes: boolean): { readonly kind: "named"; readonly name: string } | StoreFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = (error as { readonly code?: unknown }).code;
  const answer = answersByName[name];
  if (answer !== undefined) {
    return { kind: "named", name: answer };
  }
  if (throttledNames.has(name)) {
    return { kind: "throttled", message: name };
  }
  if (invalidNames.has(name)) {
    return { kind: "invalid", message };
  }
  const notDone = refusedNames.has(name) || (typeof code === "string" && notSentCodes.has(code));
  return { kind: writes && !notDone ? "unknown" : "unavailable", message: `${name}: ${message}` };
}
