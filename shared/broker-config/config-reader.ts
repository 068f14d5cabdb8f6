const portMax = 0xffff;

/**
 * Reads the fields of a JSON object one by one and collects every problem, so that a person mends a file once. After a
 * problem it returns a stand-in value: look at `problems` before using what was read.
 */
export class ConfigReader {
  readonly problems: string[];
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #read = new Set<string>();

  /** `path` is empty for the whole file; readers of inner objects share the list of problems. */
  constructor(json: unknown, path: string, problems: string[] = []) {
    this.problems = problems;
    this.#path = path;
    if (isObject(json)) {
      this.#fields = json;
    } else {
      this.#fields = {};
      problems.push(`${path || "the configuration"}: must be an object`);
    }
  }

  /** A text that is not empty. */
  text(name: string): string {
    const value = this.#take(name);
    if (typeof value === "string" && value !== "") return value;
    return this.refuse(name, "must be a text") ?? "";
  }

  optionalText(name: string): string | undefined {
    return name in this.#fields ? this.text(name) : undefined;
  }

  /** Texts that are not empty; none when the field is missing. */
  optionalTexts(name: string): readonly string[] {
    if (!(name in this.#fields)) return [];
    const value = this.#take(name);
    if (Array.isArray(value) && value.every((each): each is string => typeof each === "string" && each !== "")) {
      return value;
    }
    return this.refuse(name, "must be a list of texts") ?? [];
  }

  has(name: string): boolean {
    return name in this.#fields;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.refuse(name, `must be a whole number from ${min} to ${max}`) ?? min;
  }

  /** 0 stands for any free port. */
  port(name: string): number {
    return this.integer(name, 0, portMax);
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value === "boolean") return value;
    return this.refuse(name, "must be true or false") ?? false;
  }

  oneOf<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.#take(name);
    const chosen = choices.find((choice) => choice === value);
    return chosen ?? this.refuse(name, `must be one of ${choices.join(", ")}`) ?? choices[0];
  }

  object(name: string): ConfigReader {
    return new ConfigReader(this.#take(name), this.#pathOf(name), this.problems);
  }

  /** An object of texts. */
  textsByName(name: string): Readonly<Record<string, string>> {
    const value = this.#take(name);
    if (isObject(value) && Object.values(value).every((each) => typeof each === "string")) {
      return value as Readonly<Record<string, string>>;
    }
    return this.refuse(name, "must be an object of texts") ?? {};
  }

  optionalObject(name: string): ConfigReader | undefined {
    return name in this.#fields ? this.object(name) : undefined;
  }

  objects(name: string): readonly ConfigReader[] {
    const value = this.#take(name);
    if (Array.isArray(value)) {
      return value.map(
        (json: unknown, index) => new ConfigReader(json, `${this.#pathOf(name)}[${index}]`, this.problems),
      );
    }
    return this.refuse(name, "must be a list") ?? [];
  }

  refuse(name: string, problem: string): undefined {
    this.problems.push(`${this.#pathOf(name)}: ${problem}`);
    return undefined;
  }

  /** Refuses the fields that nobody read. */
  finish(): void {
    for (const name of Object.keys(this.#fields)) {
      if (!this.#read.has(name)) this.refuse(name, "is not known here");
    }
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#fields[name];
  }

  #pathOf(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
