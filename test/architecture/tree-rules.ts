import path from "node:path";
import type { SourceFile, Violation } from "./source-tree.ts";

/** A name that says nothing gathers everything. */
const bannedFolders: Readonly<Record<string, string>> = {
  utils: "the noun of what it holds",
  util: "the noun of what it holds",
  common: "the noun of what it holds",
  helpers: "the noun of what it holds",
  helper: "the noun of what it holds",
  lib: "the noun of what it holds",
  misc: "the noun of what it holds",
  core: "a file named *-core.ts inside the folder of its subject",
};

export function folderNames(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    path.posix
      .dirname(file.path)
      .split("/")
      .filter((folder) => folder in bannedFolders)
      .map((folder) => `${file.path} lies in a folder called ${folder}: name it by ${bannedFolders[folder]}`),
  );
}

export function noLooseFilesInShared(files: readonly SourceFile[]): Violation[] {
  return files
    .filter((file) => /^shared\/[^/]+$/.test(file.path))
    .map((file) => `${file.path} lies loose in shared/: put it in the folder of its subject`);
}

/** Named through pieces, so that this file does not find itself. */
const leftoverPattern = new RegExp(`\\b(${["FIX" + "ME", "TO" + "DO", "XX" + "X", "HA" + "CK"].join("|")})\\b`);

export function leftovers(files: readonly SourceFile[]): Violation[] {
  return findInLines(files, leftoverPattern, "do it now, or write an issue and say in the comment what holds today");
}

const machinePathPattern = new RegExp(
  `(^|[^\\w.:/-])/(${["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"].join("|")})/`,
);

export function machinePaths(files: readonly SourceFile[]): Violation[] {
  return findInLines(files, machinePathPattern, "name a path from the project's root or take it as an argument");
}

function findInLines(files: readonly SourceFile[], pattern: RegExp, fix: string): Violation[] {
  return files.flatMap((file) =>
    file.text
      .split("\n")
      .map((line, index) => ({ line, number: index + 1 }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, number }) => `${file.path}:${number} "${line.trim()}": ${fix}`),
  );
}

/** Files that something other than an import starts. */
const entryPattern =
  /(^|\/)(main|run|container)\.ts$|^infra\/(app|images\/bundle)\.ts$|\.(test|bench)\.ts$|^bench\/prototype\/|^local\/(admin|broker-command|compile-ahead)\.ts$|\/write-[^/]+\.ts$/;

/** Every file is an entry, or somebody beside its own unit test needs it. */
export function deadFiles(files: readonly SourceFile[]): Violation[] {
  const needed = new Set(
    files.filter((file) => !file.path.startsWith("test/unit/")).flatMap((file) => [...file.imports]),
  );
  const neededByTests = new Set(files.flatMap((file) => [...file.imports]));
  return files
    .filter((file) => !entryPattern.test(file.path))
    .filter((file) => !(file.path.startsWith("test/") ? neededByTests : needed).has(file.path))
    .map((file) => `${file.path} is used by nothing but its own test: use it from an entry, or delete it`);
}

/** `test/unit` mirrors the source path for path. */
export function unitTestsMirrorSource(files: readonly SourceFile[]): Violation[] {
  const folders = new Set(files.map((file) => path.posix.dirname(file.path)));
  return files
    .filter((file) => file.path.startsWith("test/unit/"))
    .filter((file) => !folders.has(path.posix.dirname(file.path).slice("test/unit/".length)))
    .map((file) => `${file.path} mirrors no folder of the source: move it to test/unit/<path of its subject>`);
}

/** Outside entries and configuration nobody reads the environment; secrets never live there. */
export function environmentOnlyInConfig(files: readonly SourceFile[]): Violation[] {
  return files
    .filter((file) => !/^(test|bench)\//.test(file.path))
    .filter((file) => /\bprocess\.env\b/.test(file.text) && !/(^|\/)(config|container)\.ts$/.test(file.path))
    .map(
      (file) =>
        `${file.path} reads process.env: read it in config.ts (a container's entry: container.ts) and hand the value over`,
    );
}
