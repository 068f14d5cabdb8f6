/** Between two looks, in milliseconds. */
const lookMs = 20;

/** Waits for what nothing tells of; a machine that others use may take its time. */
export async function until(condition: () => boolean | Promise<boolean>, msMax = 20_000): Promise<void> {
  const deadlineMs = performance.now() + msMax;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${msMax} ms`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
