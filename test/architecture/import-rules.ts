import { existsSync } from "node:fs";
import path from "node:path";
import { projectRoot, type SourceFile, type Violation } from "./source-tree.ts";

/** Which top folders a top folder may import; docs/adr/0001 and DESIGN section 3. */
const allowedByRoot: Readonly<Record<string, readonly string[]>> = {
  shared: ["shared"],
  broker: ["broker", "shared"],
  router: ["router", "shared"],
  functions: ["functions", "shared"],
  console: ["console", "shared"],
  infra: ["infra", "shared"],
  local: ["local", "broker", "router", "functions", "console", "infra", "shared"],
  test: ["test", "local", "broker", "router", "functions", "console", "infra", "shared", "bench"],
  bench: ["bench", "test", "local", "broker", "router", "functions", "shared"],
};

/** Inside `shared` imports go to the same rank or down. A new folder needs two importers, an ADR line and a rank here. */
const sharedRank: Readonly<Record<string, number>> = {
  ports: 0,
  kafka: 1,
  tenancy: 1,
  quota: 1,
  access: 1,
  telemetry: 1,
  "proxy-protocol": 1,
  segment: 2,
  "object-store": 2,
  "item-store": 2,
  metadata: 3,
  control: 4,
  "broker-config": 5,
  container: 5,
};

/** Adapters that stand on more than their folder does. */
const sharedFileRank: Readonly<Record<string, number>> = {
  // Peers and clients frame their messages alike.
  "shared/ports/tcp-peer-transport.ts": 2,
};

/** Inside `broker` imports go to the same rank or down: the path that a request walks. */
const brokerRank: Readonly<Record<string, number>> = {
  connection: 7,
  admission: 6,
  dispatch: 5,
  handlers: 4,
  coordinator: 3,
  controller: 3,
  partition: 3,
  replication: 2,
  log: 2,
  tiering: 2,
  peer: 2,
};
/** Files beside those folders: limits may be read by all; the rest assembles the broker, so nothing below imports it. */
const brokerFileRank = (fileName: string) => (fileName === "limits.ts" ? 0 : 8);

const unknownRank = -1;

function rankInside(filePath: string): number {
  const [root = "", folder = "", ...rest] = filePath.split("/");
  const ofFile = sharedFileRank[filePath];
  if (ofFile !== undefined) return ofFile;
  if (rest.length === 0) return root === "broker" ? brokerFileRank(folder) : unknownRank;
  const ranks = root === "broker" ? brokerRank : sharedRank;
  return ranks[folder] ?? unknownRank;
}

/** Imports between the top folders go one way. */
export function topLevelDirection(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const [root = ""] = file.path.split("/");
    const allowed = allowedByRoot[root] ?? [];
    return file.imports
      .filter((target) => !allowed.includes(target.split("/")[0] ?? ""))
      .map(
        (target) =>
          `${file.path} imports ${target}: ${root}/ may import only ${allowed.join(", ")}; move what both need to shared/`,
      );
  });
}

/** Inside `shared` and inside `broker` imports only go down. */
export function innerDirection(files: readonly SourceFile[]): Violation[] {
  const violations: Violation[] = [];
  for (const file of files) {
    const [root = "", folder = ""] = file.path.split("/");
    if (root !== "shared" && root !== "broker") continue;
    const own = rankInside(file.path);
    if (own === unknownRank) {
      const fix = `give ${root}/${folder} a rank in test/architecture/import-rules.ts and a line in an ADR, or put the file in a folder that exists`;
      violations.push(`${file.path}: ${fix}`);
      continue;
    }
    for (const target of file.imports) {
      if (!target.startsWith(`${root}/`) || rankInside(target) <= own) continue;
      const fix = "imports only go down; let main.ts register a subscriber, or move the shared part below both";
      violations.push(`${file.path} imports ${target}: ${fix}`);
    }
  }
  return violations;
}

const entryFileNames = ["main.ts", "run.ts", "container.ts"];

/** Entry files wire things and are imported by nobody; they may be started as a process. */
export function entriesStandAlone(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.imports
      .filter((target) => entryFileNames.includes(path.posix.basename(target)))
      .filter((target) => new RegExp(`from "[^"]*${path.posix.basename(target)}"`).test(file.text))
      .map(
        (target) =>
          `${file.path} imports the entry ${target}: move what it needs into a module that ${target} imports too`,
      ),
  );
}

/** The AWS SDK stays behind the two ports. */
export function awsSdkBehindPorts(files: readonly SourceFile[]): Violation[] {
  const allowed = (filePath: string) =>
    /(^|\/)(dynamodb|s3|secrets)-[^/]+\.ts$/.test(filePath) || /^(functions|test|bench|infra)\//.test(filePath);
  return files
    .filter((file) => file.packages.some((name) => name.startsWith("@aws-sdk/")) && !allowed(file.path))
    .map(
      (file) =>
        `${file.path} imports the AWS SDK: only dynamodb-*.ts, s3-*.ts and secrets-*.ts may; use the ItemStore or ObjectStore`,
    );
}

/** What is started by its URL is not seen by the type check. */
export function importsExist(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.imports
      .filter((target) => !existsSync(path.join(projectRoot, target)))
      .map((target) => `${file.path} names ${target}, which does not exist: name a file of the tree, with its .ts`),
  );
}

/** A pure file's I/O is refused by oxlint, by name; this closes the way through a package. */
export function pureFoldersArePure(files: readonly SourceFile[]): Violation[] {
  const pure =
    /^shared\/(kafka|tenancy|quota|access|broker-config|metadata\/(records|image|commands|configs))\/|^broker\/coordinator\/group\/|-core\.ts$/;
  const allowed = new Set([
    "node:buffer",
    "node:crypto",
    "node:zlib",
    "node:assert",
    "node:assert/strict",
    "@node-rs/crc32",
  ]);
  return files
    .filter((file) => pure.test(file.path) && !/^(test|bench)\//.test(file.path))
    .flatMap((file) =>
      file.packages
        .filter((name) => !allowed.has(name))
        .map((name) => `${file.path} imports ${name}: this folder is pure; hand the value in, or add a port`),
    );
}
