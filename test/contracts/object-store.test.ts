import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll } from "vitest";
import { DirectoryObjectStore } from "../../shared/object-store/directory-object-store.ts";
import { MemoryObjectStore } from "../../shared/object-store/memory-object-store.ts";
import { S3ObjectStore, s3Client } from "../../shared/object-store/s3-object-store.ts";
import { TimedObjectStore } from "../../shared/object-store/timed-object-store.ts";
import { systemTimers } from "../../shared/ports/timers.ts";
import { objectStoreContract } from "./object-store.contract.ts";

const closers: (() => unknown)[] = [];
const slowCallMs = 20_000;

afterAll(async () => {
  for (const close of closers.reverse()) {
    await close();
  }
});

objectStoreContract("memory", async () => new MemoryObjectStore());

objectStoreContract("timed", async () => new TimedObjectStore(new MemoryObjectStore(), systemTimers, slowCallMs));

objectStoreContract("directory", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "balafon-objects-"));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  return new DirectoryObjectStore(path.join(directory, "made", "later"));
});

const awsEndpoint = process.env["AWS_ENDPOINT_URL"];
if (awsEndpoint !== undefined) {
  objectStoreContract("s3, AWS_ENDPOINT_URL", async () => {
    const client = s3Client({
      endpoint: awsEndpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    closers.push(() => client.destroy());
    const bucket = `objects-${process.pid}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    return new S3ObjectStore({ bucket, client, timers: systemTimers, timeoutMs: slowCallMs });
  });
}
