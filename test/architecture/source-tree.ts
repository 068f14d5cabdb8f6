import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

/** Folders at the top that hold TypeScript of ours. */
export const sourceRoots = [
  "broker",
  "router",
  "functions",
  "infra",
  "console",
  "local",
  "shared",
  "test",
  "bench",
] as const;

/** These files plant breaches on purpose. */
const ownFolder = "test/architecture/";

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Paths of our own files that it imports or starts, from the project's root. */
  readonly imports: readonly string[];
  /** Everything else that it imports: `node:fs`, `kafkajs`, … */
  readonly packages: readonly string[];
}

/** What a rule found: where, what is wrong and how to mend it. */
export type Violation = string;

/** `from "x"`, `import "x"`, `import("x")`; imports carry their `.ts`, so resolving them is path arithmetic. */
const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)"([^"\n]+)"/gm;
/** A file that is started as a process or a worker: `new URL("./store-process.ts", import.meta.url)`. */
const startedFilePattern = /new URL\(\s*"(\.[^"\n]+\.ts)",\s*import\.meta\.url/g;

export function parseSource(filePath: string, text: string): SourceFile {
  const imports = new Set<string>();
  const packages = new Set<string>();
  for (const pattern of [importPattern, startedFilePattern]) {
    for (const [, specifier = ""] of text.matchAll(pattern)) {
      if (specifier.startsWith(".")) {
        imports.add(path.posix.join(path.posix.dirname(filePath), specifier));
      } else {
        packages.add(specifier);
      }
    }
  }
  return { path: filePath, text, imports: [...imports], packages: [...packages] };
}

export function readSourceTree(): readonly SourceFile[] {
  const files: SourceFile[] = [];
  for (const root of sourceRoots) {
    const directory = path.join(projectRoot, root);
    if (!existsSync(directory)) continue;
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const absolute = path.join(entry.parentPath, entry.name);
      const relative = path.relative(projectRoot, absolute).split(path.sep).join("/");
      if (relative.includes("node_modules") || relative.startsWith(ownFolder)) continue;
      files.push(parseSource(relative, readFileSync(absolute, "utf8")));
    }
  }
  return files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}
