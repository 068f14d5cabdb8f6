const triesMax = 3;

/**
 * For what a cell does in a time that is measured: a machine that stands still for seconds may spoil a try, a cell that is at
 * fault spoils each. Rejects when none succeeds.
 */
export async function oneOfThreeTries(what: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let number = 0; number < triesMax; number++) if (await attempt()) return;
  throw new Error(`not once in ${triesMax} tries: ${what}`);
}
