/**
 * Text scripts with expected output, as etcd's raft has them: a command a paragraph, below it `----` and what it printed.
 *
 *   # A comment, kept as it is.
 *   produce 1 a b
 *   ----
 *   1 appended [0, 2)
 *
 * Regenerated with `UPDATE_SCENARIOS=1`, and then read as a diff.
 */
export interface ScriptCommand {
  readonly name: string;
  /** Words without `=`, in order. */
  readonly words: readonly string[];
  /** Words of the form `name=value`. */
  readonly options: ReadonlyMap<string, string>;
}

type Part =
  /** Comments and empty lines. */
  | { readonly kind: "text"; readonly lines: readonly string[] }
  | { readonly kind: "command"; readonly line: string; readonly expected: readonly string[] };

const separator = "----";

export function parseScript(text: string): Part[] {
  const parts: Part[] = [];
  const lines = text.replace(/\n+$/, "").split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at++] ?? "";
    if (line === "" || line.startsWith("#")) {
      parts.push({ kind: "text", lines: [line] });
      continue;
    }
    const expected: string[] = [];
    if (lines[at] === separator) for (at++; at < lines.length && lines[at] !== ""; at++) expected.push(lines[at] ?? "");
    parts.push({ kind: "command", line, expected });
  }
  return parts;
}

export function parseCommand(line: string): ScriptCommand {
  const [name = "", ...rest] = line.split(/\s+/);
  const words = rest.filter((word) => !word.includes("="));
  const options = new Map(
    rest.filter((word) => word.includes("=")).map((word) => word.split("=", 2) as [string, string]),
  );
  return { name, words, options };
}

/** Runs the script; the same script with what it printed this time. */
export async function runScript(
  text: string,
  run: (command: ScriptCommand) => Promise<readonly string[]>,
): Promise<string> {
  const out: string[] = [];
  for (const part of parseScript(text)) {
    if (part.kind === "text") {
      out.push(...part.lines);
      continue;
    }
    const printed = await run(parseCommand(part.line));
    out.push(part.line, separator, ...(printed.length === 0 ? ["nothing"] : printed));
  }
  return `${out.join("\n")}\n`;
}
