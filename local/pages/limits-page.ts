import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type NamedLimit, namedLimits } from "./named-limits.ts";
import { renderTable } from "./page-table.ts";

const roots = ["shared", "broker", "router", "functions", "local"];

/** docs/limits.md, made from the text of every `limits.ts` below the root. */
export function renderLimitsPage(projectRoot: string): string {
  const files = roots
    .flatMap((root) =>
      readdirSync(path.join(projectRoot, root), { recursive: true, encoding: "utf8" }).map((name) =>
        path.posix.join(root, name.split(path.sep).join("/")),
      ),
    )
    .filter((name) => path.posix.basename(name) === "limits.ts")
    .sort();
  const texts = files.map((file) => readFileSync(path.join(projectRoot, file), "utf8"));
  const chapters = files.map((file, index) => renderChapter(file, namedLimits(texts[index] ?? "", named(texts))));
  return `# Limits

Every queue, buffer, retry and loop has a named limit. They are constants in the code; what can be set has a name in
[configs.md](configs.md).

Made by \`npm run docs\` from the files \`limits.ts\`; a test fails when this page is stale.

${chapters.join("\n")}`;
}

/** Plain numbers of all files, since a limit may be made from that of another folder. */
function named(texts: readonly string[]): ReadonlyMap<string, number> {
  const plain = texts.flatMap((text) => [...text.matchAll(/^export const (\w+) = ([\d_]+);/gm)]);
  return new Map(plain.map(([, name = "", value = ""]) => [name, Number(value.replaceAll("_", ""))]));
}

function renderChapter(file: string, limits: readonly NamedLimit[]): string {
  const rows = limits.map(({ name, value, unit, meaning }) => [
    `\`${name}\``,
    value.toLocaleString("en-US"),
    unit,
    meaning,
  ]);
  return `## ${path.posix.dirname(file)}\n\n${renderTable(["limit", "value", "unit", "meaning"], rows)}`;
}
