import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { MemoryDisk } from "../../shared/ports/memory-disk.ts";
import { nodeDisk } from "../../shared/ports/node-disk.ts";
import { diskContract } from "./disk.contract.ts";

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

diskContract("Node", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "balafon-disk-"));
  folders.push(root);
  return { disk: nodeDisk, root };
});

diskContract("memory", async () => {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/data");
  return { disk, root: "/data" };
});
