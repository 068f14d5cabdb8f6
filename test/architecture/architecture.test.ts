import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  awsSdkBehindPorts,
  entriesStandAlone,
  importsExist,
  innerDirection,
  pureFoldersArePure,
  topLevelDirection,
} from "./import-rules.ts";
import { parseSource, projectRoot, readSourceTree, type SourceFile, type Violation } from "./source-tree.ts";
import {
  deadFiles,
  environmentOnlyInConfig,
  folderNames,
  leftovers,
  machinePaths,
  noLooseFilesInShared,
  unitTestsMirrorSource,
} from "./tree-rules.ts";

type Rule = (files: readonly SourceFile[]) => Violation[];

/** Each rule with a planted file that breaks it, so that a rule that stopped biting is seen. */
const rules: readonly { readonly rule: Rule; readonly planted: SourceFile }[] = [
  { rule: topLevelDirection, planted: parseSource("shared/ports/a.ts", `import { b } from "../../broker/b.ts";`) },
  { rule: innerDirection, planted: parseSource("broker/log/a.ts", `import { b } from "../handlers/produce.ts";`) },
  { rule: entriesStandAlone, planted: parseSource("broker/log/a.ts", `import { b } from "../main.ts";`) },
  { rule: awsSdkBehindPorts, planted: parseSource("broker/a.ts", `import { S3 } from "@aws-sdk/client-s3";`) },
  { rule: importsExist, planted: parseSource("broker/a.ts", `fork(new URL("./absent.ts", import.meta.url))`) },
  {
    rule: pureFoldersArePure,
    planted: parseSource("broker/group-core.ts", `import { open } from "node:fs/promises";`),
  },
  { rule: folderNames, planted: parseSource("shared/utils/a.ts", "") },
  { rule: noLooseFilesInShared, planted: parseSource("shared/a.ts", "") },
  { rule: leftovers, planted: parseSource("broker/a.ts", `// ${"TO" + "DO"}: later`) },
  { rule: machinePaths, planted: parseSource("broker/a.ts", `const path = "/${"ho" + "me"}/me/data";`) },
  { rule: deadFiles, planted: parseSource("broker/unused.ts", "") },
  { rule: unitTestsMirrorSource, planted: parseSource("test/unit/nowhere/a.test.ts", "") },
  { rule: environmentOnlyInConfig, planted: parseSource("broker/a.ts", "const home = process.env.HOME;") },
];

describe("architecture", () => {
  const files = readSourceTree();

  for (const { rule, planted } of rules) {
    test(`${rule.name}: the tree keeps it`, () => {
      expect(rule(files)).toEqual([]);
    });

    test(`${rule.name}: a planted breach is found, and the message names the fix`, () => {
      const [message = ""] = rule([planted]);
      expect(message).toContain(planted.path);
      expect(message).toMatch(/: .+/);
    });
  }

  test("the lock file names no registry host", () => {
    const lockFile = readFileSync(path.join(projectRoot, "package-lock.json"), "utf8");
    expect(lockFile, "npm install with omit-lockfile-registry-resolved=true (see .npmrc)").not.toMatch(
      /https?:\/\/registry|"resolved": "http/,
    );
  });

  test("every dependency is pinned exactly", () => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(projectRoot, "package.json"), "utf8"));
    const { dependencies, devDependencies } = manifest as Record<string, Record<string, string>>;
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, range]) => !/^\d+\.\d+\.\d+$/.test(range),
    );
    expect(loose, "write the exact version").toEqual([]);
  });

  test("every deployable has a README that names its folders in the order a request meets them", () => {
    const deployables = ["broker", "router", "functions", "infra", "console", "local"];
    const missing = deployables
      .filter((name) => existsSync(path.join(projectRoot, name)))
      .filter((name) => !existsSync(path.join(projectRoot, name, "README.md")));
    expect(missing, "write <folder>/README.md, one screen").toEqual([]);
  });
});
