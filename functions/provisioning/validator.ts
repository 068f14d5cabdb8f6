/** Checks calls against the contract's schemas; every problem is told with its place. */
import type { TSchema } from "@sinclair/typebox";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { contract, type RouteName } from "./contract/contract.ts";
import type { Problem, ProblemSource } from "./problem.ts";

/** Bounds the answer to a body with very many mistakes. */
const problemsMax = 20;

/** RFC 3339 with an offset, and a moment that exists. */
const dateTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const formats = { "date-time": (text: string) => dateTimePattern.test(text) && !Number.isNaN(Date.parse(text)) };

type Part = "params" | "query" | "body";

export type Validated =
  | { readonly kind: "valid"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

export class Validator {
  // Parameters come as texts, bodies do not.
  readonly #texts = new Ajv2020({ allErrors: true, coerceTypes: true, strict: true, formats });
  readonly #values = new Ajv2020({ allErrors: true, strict: true, formats });
  readonly #compiled = new Map<string, ValidateFunction>();

  /** `value` may be changed: texts become numbers and booleans where the schema has them. */
  validate(name: RouteName, part: Part, value: unknown): Validated {
    const schema: TSchema | undefined = contract[name][part];
    if (schema === undefined) return { kind: "valid", value: undefined };
    const key = `${name} ${part}`;
    let check = this.#compiled.get(key);
    if (check === undefined) {
      check = (part === "body" ? this.#values : this.#texts).compile(schema);
      this.#compiled.set(key, check);
    }
    if (check(value)) return { kind: "valid", value };
    const problems = (check.errors ?? []).slice(0, problemsMax).map((error) => problemOf(error, part));
    return { kind: "invalid", problems };
  }
}

function problemOf(error: ErrorObject, part: Part): Problem {
  const name = nameOf(error);
  const place = name === undefined ? error.instancePath : `${error.instancePath}/${escape(name)}`;
  const source: ProblemSource =
    part === "body" ? { pointer: place } : { parameter: place.slice(1).replaceAll("~1", "/").replaceAll("~0", "~") };
  return { kind: part === "params" ? "not-found" : "invalid", detail: sentenceOf(error), source };
}

/** Of the field that is missing or too much: ajv names it beside the path. */
function nameOf({ keyword, params }: ErrorObject): string | undefined {
  const named = params as { readonly missingProperty?: string; readonly additionalProperty?: string };
  if (keyword === "required") return named.missingProperty;
  return keyword === "additionalProperties" ? named.additionalProperty : undefined;
}

function sentenceOf({ keyword, message, params }: ErrorObject): string {
  switch (keyword) {
    case "required":
      return "This is required.";
    case "additionalProperties":
      return "This is not known here.";
    case "enum":
      return `This must be one of ${(params as { readonly allowedValues: readonly unknown[] }).allowedValues.join(", ")}.`;
    default:
      return `This ${message ?? "is not valid"}.`;
  }
}

function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
