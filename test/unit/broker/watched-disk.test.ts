import { expect, test } from "vitest";
import { watchedDisk } from "../../../broker/watched-disk.ts";
import { MemoryDisk } from "../../../shared/ports/memory-disk.ts";

test("a sync that fails is told and fails; all else passes through", async () => {
  const disk = new MemoryDisk();
  let told = 0;
  const watched = watchedDisk(disk, () => told++);
  const file = await watched.open("file", { create: true });
  await file.write(0, [Buffer.from("abc")]);
  await file.sync();
  expect(told).toBe(0);
  disk.fault = ({ kind }) => (kind === "sync" ? { kind: "error", code: "EIO" } : undefined);
  await expect(file.sync()).rejects.toMatchObject({ code: "EIO" });
  expect(told).toBe(1);
  const read = Buffer.alloc(3);
  expect(await file.read(0, read)).toBe(3);
  expect(read.toString()).toBe("abc");
});
