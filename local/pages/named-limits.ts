/** Reads the named limits out of the text of a `limits.ts`: constants, and objects whose interface documents them. */
export interface NamedLimit {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Its doc comment in one line; that of the line above when it has none of its own. */
  readonly meaning: string;
}

const constantPattern = /^export const (\w+)(?:: number)? = ([^;{]+);/;
/** A member of an interface, which documents, or of the object made from it, which has the value. */
const memberPattern = /^ {2}(?:readonly (\w+): number;|(\w+): ([\d_]+),)/;

export function namedLimits(text: string, known: ReadonlyMap<string, number> = new Map()): readonly NamedLimit[] {
  const limits: NamedLimit[] = [];
  const meanings = new Map<string, string>();
  const values = new Map(known);
  let meaning = "";
  let comment: string[] | undefined;
  for (const line of text.split("\n")) {
    if (line.trimStart().startsWith("/**")) comment = [];
    if (comment !== undefined) {
      comment.push(
        line
          .replace(/^\s*\/?\*+\/?/, "")
          .replace(/\*\/\s*$/, "")
          .trim(),
      );
      if (!line.trimEnd().endsWith("*/")) continue;
      meaning = comment.filter((part) => part !== "").join(" ");
      comment = undefined;
      continue;
    }
    const [, constant, expression] = constantPattern.exec(line) ?? [];
    const [, documented, member, memberValue] = memberPattern.exec(line) ?? [];
    if (constant !== undefined && expression !== undefined) {
      const value = numberOf(expression, values);
      values.set(constant, value);
      limits.push({ name: constant, value, unit: unitOf(constant), meaning });
    } else if (documented !== undefined) {
      meanings.set(documented, meaning);
    } else if (member !== undefined && memberValue !== undefined) {
      const value = numberOf(memberValue, values);
      limits.push({ name: member, value, unit: unitOf(member), meaning: meanings.get(member) ?? "" });
    }
    // Several constants may share a comment, but not over a gap.
    if (line.trim() === "") meaning = "";
  }
  return limits;
}

/** Whole words of a name tell its unit: `fetchWaitMsMax`, `requestBytesMax`, `bytesPerFrameByte`. */
function unitOf(name: string): string {
  const words = name
    .replaceAll(/([A-Z])/g, " $1")
    .toLowerCase()
    .split(" ");
  if (words.includes("ms")) return "ms";
  if (words.includes("characters")) return "characters";
  return words.includes("bytes") ? "bytes" : "";
}

/** Numbers, names of limits, `**`, `*` and `-`: what the limits are written with. */
function numberOf(expression: string, known: ReadonlyMap<string, number>): number {
  const folded = (operator: string, fold: (left: number, right: number) => number): number | undefined => {
    const parts = expression.split(` ${operator} `);
    return parts.length === 1 ? undefined : parts.map((part) => numberOf(part, known)).reduce(fold);
  };
  const text = expression.trim();
  const value =
    folded("-", (left, right) => left - right) ??
    folded("*", (left, right) => left * right) ??
    folded("**", (left, right) => left ** right) ??
    known.get(text) ??
    Number(text.replaceAll("_", ""));
  if (!Number.isFinite(value)) throw new Error(`the page of limits cannot read ${text}`);
  return value;
}
