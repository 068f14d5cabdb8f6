/** What one configuration is: its type, its default, what it may be set to. Names and types are Kafka's. */

export type ConfigType = "BOOLEAN" | "STRING" | "INT" | "SHORT" | "LONG" | "DOUBLE" | "LIST" | "CLASS" | "PASSWORD";

export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  readonly default: string;
  /** Why the value is refused; undefined when it is taken. Called with trimmed text of the right type. */
  readonly check?: (value: string) => string | undefined;
  /** For a tenant's administrator, shown by DescribeConfigs; begins with "Without effect" when nothing obeys the value. */
  readonly documentation: string;
}

/** Whether setting the configuration changes what the cell does; the others are taken so that tools and clients get through. */
export function isHonoured({ documentation }: ConfigDefinition): boolean {
  return !documentation.startsWith("Without effect");
}

/** Kafka's "for ever", as it is written in Kafka's own defaults. */
export const longMax = "9223372036854775807";
const longMin = -(2n ** 63n);
const intMax = 2 ** 31 - 1;
const shortMax = 2 ** 15 - 1;

/** Why the text is no value of the type; undefined when it is. */
export function typeFault(type: ConfigType, value: string): string | undefined {
  switch (type) {
    case "BOOLEAN":
      return value === "true" || value === "false" ? undefined : "must be true or false";
    case "INT":
      return integerFault(value, -intMax - 1, intMax);
    case "SHORT":
      return integerFault(value, -shortMax - 1, shortMax);
    case "LONG":
      return /^[+-]?\d{1,19}$/.test(value) && BigInt(value) >= longMin && BigInt(value) <= BigInt(longMax)
        ? undefined
        : "must be a whole number of 64 bits";
    case "DOUBLE":
      return value !== "" && Number.isFinite(Number(value)) ? undefined : "must be a number";
    case "STRING":
    case "LIST":
    case "CLASS":
    case "PASSWORD":
      return undefined;
  }
}

function integerFault(value: string, min: number, max: number): string | undefined {
  const fine = /^[+-]?\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return fine ? undefined : `must be a whole number from ${min} to ${max}`;
}

/** Why the definition refuses the value; undefined when it takes it. */
export function configFault(definition: ConfigDefinition, value: string): string | undefined {
  const text = value.trim();
  const fault = typeFault(definition.type, text) ?? definition.check?.(text);
  return fault === undefined ? undefined : `Invalid value ${value} for configuration ${definition.name}: ${fault}`;
}

/** A check that the number lies in [min, max]. */
export function between(min: number, max: number = Number.POSITIVE_INFINITY) {
  return (value: string): string | undefined => {
    if (Number(value) < min) {
      return `must be at least ${min}`;
    }
    return Number(value) > max ? `must be at most ${max}` : undefined;
  };
}

/** A check that the text is one of these words. */
export function oneOf(...words: readonly string[]) {
  return (value: string): string | undefined =>
    words.includes(value) ? undefined : `must be one of ${words.join(", ")}`;
}

/** Items of a LIST value; an empty text is an empty list. */
export function listItems(value: string): readonly string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
