/** A variable of a function's environment without which it must not start. Throws an Error that names it when it is missing. */
export function neededVariable(environment: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = environment[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}
