import { parseArgs } from "node:util";

/** One option of a command, for parsing and for `--help`. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** `flag` takes no value; `texts` may be repeated. */
  readonly kind: "flag" | "text" | "texts" | "integer";
  /** Stands for the value in the help: `PORT`. */
  readonly placeholder?: string;
  /** Of an integer. */
  readonly min?: number;
  readonly max?: number;
  readonly help: string;
}

type ValueOf<Spec extends OptionSpec> = Spec["kind"] extends "flag"
  ? boolean
  : Spec["kind"] extends "texts"
    ? readonly string[]
    : (Spec["kind"] extends "integer" ? number : string) | undefined;

export type ValuesOf<Specs extends readonly OptionSpec[]> = {
  readonly [Spec in Specs[number] as Spec["name"]]: ValueOf<Spec>;
};

export type ParsedOptions<Specs extends readonly OptionSpec[]> =
  | { readonly kind: "parsed"; readonly values: ValuesOf<Specs>; readonly positionals: readonly string[] }
  /** A sentence for the person who typed it. */
  | { readonly kind: "refused"; readonly problem: string };

/** Reads the arguments of a command. Everything unknown is refused, with the nearest known name as a hint. */
export function parseOptions<const Specs extends readonly OptionSpec[]>(
  argv: readonly string[],
  specs: Specs,
): ParsedOptions<Specs> {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      specs.map(({ name, kind }) => [name, { type: kind === "flag" ? "boolean" : "string", multiple: true } as const]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  for (const { name, kind } of specs) values[name] = kind === "flag" ? false : kind === "texts" ? [] : undefined;
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (spec === undefined) return { kind: "refused", problem: unknownOption(token.rawName, specs) };
    const read = readValue(spec, token.value);
    if (typeof read === "object") return { kind: "refused", problem: read.problem };
    values[spec.name] = spec.kind === "texts" ? [...(values[spec.name] as string[]), read] : read;
  }
  return { kind: "parsed", values: values as ValuesOf<Specs>, positionals };
}

function readValue(
  spec: OptionSpec,
  value: string | undefined,
): string | number | boolean | { readonly problem: string } {
  if (spec.kind === "flag") return value === undefined ? true : { problem: `--${spec.name} takes no value` };
  if (value === undefined || value === "") return { problem: `--${spec.name} needs a value: ${describe(spec)}` };
  if (spec.kind !== "integer") return value;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (number >= min && number <= max) return number;
  return { problem: `--${spec.name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}` };
}

function unknownOption(rawName: string, specs: readonly OptionSpec[]): string {
  const name = rawName.replace(/^-+/, "");
  const hint = nearest(
    name,
    specs.map((spec) => spec.name),
  );
  return `${rawName} is not known${hint === undefined ? "" : `; did you mean --${hint}?`}`;
}

/** Edits that a typing mistake is worth. */
const hintEditsMax = 3;

/** The known name that was most likely meant, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({
      candidate,
      edits: candidate.startsWith(name) && name !== "" ? 0 : editDistance(name, candidate),
    }))
    .toSorted((left, right) => left.edits - right.edits);
  const [best] = ranked;
  return best !== undefined && best.edits <= Math.min(hintEditsMax, best.candidate.length / 2)
    ? best.candidate
    : undefined;
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let at = 1; at <= from.length; at++) {
    const next = [at];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[at - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

const helpColumnWidth = 24;

/** One line an option. */
export function describeOptions(specs: readonly OptionSpec[]): string {
  return specs
    .map((spec) => {
      const [first = "", ...rest] = spec.help.split("\n");
      const lines = [`  ${describe(spec).padEnd(helpColumnWidth)}${first}`];
      for (const line of rest) lines.push(`${" ".repeat(helpColumnWidth + 2)}${line}`);
      return `${lines.join("\n")}\n`;
    })
    .join("");
}

function describe(spec: OptionSpec): string {
  return spec.placeholder === undefined ? `--${spec.name}` : `--${spec.name} ${spec.placeholder}`;
}
