/** What every Disk does, whatever it is made of. */
import { describe, expect, test } from "vitest";
import type { Disk } from "../../shared/ports/disk.ts";

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An empty folder that exists. */
  readonly root: string;
}

export function diskContract(name: string, make: () => Promise<DiskUnderTest>): void {
  describe(`Disk: ${name}`, () => {
    test("a file that does not exist is not opened without create", async () => {
      const { disk, root } = await make();
      await expect(disk.open(`${root}/none`, { create: false })).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("create makes the file and its folders", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/a/b/file`, { create: true });
      await file.close();
      expect(file.sizeAtOpen).toBe(0);
      expect(await disk.list(root)).toEqual(["a"]);
      expect(await disk.list(`${root}/a/b`)).toEqual(["file"]);
    });

    test("several buffers are written one after the other, and read back", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      await file.write(0, [Buffer.from("one "), Buffer.from(""), Buffer.from("two "), Buffer.from("three")]);
      await file.write(4, [Buffer.from("TWO")]);
      const target = Buffer.alloc(20);
      const count = await file.read(0, target);
      await file.close();
      expect(target.toString("utf8", 0, count)).toBe("one TWO three");
    });

    test("more buffers than one vector takes are all written", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      const buffers = Array.from({ length: 2_500 }, (_, index) => Buffer.from(String(index % 10)));
      await file.write(3, buffers);
      await file.close();
      expect((await disk.readFile(`${root}/file`))?.subarray(3)).toEqual(Buffer.concat(buffers));
    });

    test("a write past the end leaves zeros between", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      await file.write(2, [Buffer.from("x")]);
      await file.close();
      expect(await disk.readFile(`${root}/file`)).toEqual(Buffer.from([0, 0, 0x78]));
    });

    test("a read past the end gives nothing", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      await file.write(0, [Buffer.from("abc")]);
      const read = await file.read(3, Buffer.alloc(4));
      await file.close();
      expect(read).toBe(0);
    });

    test("truncate cuts, and what is written behind the cut follows zeros", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      await file.write(0, [Buffer.from("abcdef")]);
      await file.truncate(2);
      await file.write(4, [Buffer.from("z")]);
      await file.sync();
      await file.close();
      expect(await disk.readFile(`${root}/file`)).toEqual(Buffer.from([0x61, 0x62, 0, 0, 0x7a]));
    });

    test("a file opened again tells its size and keeps its bytes", async () => {
      const { disk, root } = await make();
      const first = await disk.open(`${root}/file`, { create: true });
      await first.write(0, [Buffer.from("abc")]);
      await first.close();
      const again = await disk.open(`${root}/file`, { create: true });
      await again.close();
      expect(again.sizeAtOpen).toBe(3);
    });

    test("replaceFile makes and replaces, also by something shorter, and leaves nothing aside", async () => {
      const { disk, root } = await make();
      await disk.replaceFile(`${root}/deep/file`, Buffer.from("a long content"));
      await disk.replaceFile(`${root}/deep/file`, Buffer.from("short"));
      expect((await disk.readFile(`${root}/deep/file`))?.toString()).toBe("short");
      expect(await disk.list(`${root}/deep`)).toEqual(["file"]);
    });

    test("an open file stays readable after its removal", async () => {
      const { disk, root } = await make();
      const file = await disk.open(`${root}/file`, { create: true });
      await file.write(0, [Buffer.from("abc")]);
      await disk.removeFile(`${root}/file`);
      const target = Buffer.alloc(3);
      await file.read(0, target);
      await file.close();
      expect(target.toString()).toBe("abc");
      expect(await disk.readFile(`${root}/file`)).toBeUndefined();
    });

    test("removing what does not exist is no error", async () => {
      const { disk, root } = await make();
      await disk.removeFile(`${root}/none`);
      await disk.removeDirectory(`${root}/none`);
      expect(await disk.list(`${root}/none`)).toEqual([]);
    });

    test("removeDirectory removes all in it", async () => {
      const { disk, root } = await make();
      await disk.replaceFile(`${root}/a/b/one`, Buffer.from("1"));
      await disk.replaceFile(`${root}/ab/two`, Buffer.from("2"));
      await disk.removeDirectory(`${root}/a`);
      expect(await disk.list(root)).toEqual(["ab"]);
      expect(await disk.readFile(`${root}/a/b/one`)).toBeUndefined();
    });

    test("rename replaces the target", async () => {
      const { disk, root } = await make();
      await disk.replaceFile(`${root}/one`, Buffer.from("1"));
      await disk.replaceFile(`${root}/two`, Buffer.from("2"));
      await disk.rename(`${root}/one`, `${root}/two`);
      expect(await disk.list(root)).toEqual(["two"]);
      expect((await disk.readFile(`${root}/two`))?.toString()).toBe("1");
    });

    test("rename of what does not exist rejects", async () => {
      const { disk, root } = await make();
      await expect(disk.rename(`${root}/one`, `${root}/two`)).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("makeDirectory makes a folder, once or again", async () => {
      const { disk, root } = await make();
      await disk.makeDirectory(`${root}/x/y`);
      await disk.makeDirectory(`${root}/x/y`);
      expect(await disk.list(`${root}/x`)).toEqual(["y"]);
    });

    test("space tells the volume", async () => {
      const { disk, root } = await make();
      const { totalBytes, freeBytes } = await disk.space(root);
      expect(freeBytes).toBeGreaterThan(0);
      expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
    });
  });
}
