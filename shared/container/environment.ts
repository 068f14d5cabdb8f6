/** The settings of a container: environment variables, none of which is a secret. */
export class Environment {
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #missing: string[] = [];

  constructor(variables: Readonly<Record<string, string | undefined>>) {
    this.#variables = variables;
  }

  text(name: string): string {
    const value = this.#variables[name];
    if (value === undefined || value === "") {
      this.#missing.push(name);
      return "";
    }
    return value;
  }

  /** Separated by commas; none when it is empty. */
  texts(name: string): readonly string[] {
    return (this.#variables[name] ?? "").split(",").filter((text) => text !== "");
  }

  optionalText(name: string): string | undefined {
    return this.#variables[name] === "" ? undefined : this.#variables[name];
  }

  number(name: string): number {
    const value = Number(this.text(name));
    if (!Number.isFinite(value)) this.#missing.push(name);
    return value;
  }

  /** To be called when all was read. Throws an Error that names everything that is missing. */
  finish(): void {
    if (this.#missing.length > 0) throw new Error(`missing or wrong in the environment: ${this.#missing.join(", ")}`);
  }
}
