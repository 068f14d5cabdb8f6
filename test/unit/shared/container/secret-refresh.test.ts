import { expect, test } from "vitest";
import { keepSecretFresh, secretRefreshMs } from "../../../../shared/container/secret-refresh.ts";

/** Timers that a test lets go off; `look` resolves when the next look is planned. */
class LooksByHand {
  #run: (() => void) | undefined;
  #planned = Promise.withResolvers<void>();
  afterTurn(): void {
    throw new Error("not used");
  }
  after(ms: number, run: () => void): () => void {
    expect(ms).toBe(secretRefreshMs);
    this.#run = run;
    this.#planned.resolve();
    return () => undefined;
  }
  async look(): Promise<void> {
    this.#planned = Promise.withResolvers();
    this.#run?.();
    await this.#planned.promise;
  }
}

test("hands on what changed, and what failed is looked for again", async () => {
  const timers = new LooksByHand();
  const written: string[] = [];
  const failures: unknown[] = [];
  let text: string | Error = "one";
  await keepSecretFresh({
    timers,
    readSecret: async () => {
      if (text instanceof Error) throw text;
      return text;
    },
    write: async (value) => {
      if (value === "bad") throw new Error("of no use");
      written.push(value);
    },
    onFailed: (error) => failures.push(error),
  });
  await timers.look();
  expect(written).toEqual(["one"]);
  text = new Error("away");
  await timers.look();
  text = "bad";
  await timers.look();
  expect(failures.map(String)).toEqual(["Error: away", "Error: of no use"]);
  text = "two";
  await timers.look();
  expect(written).toEqual(["one", "two"]);
});

test("without a secret to begin with nothing starts", async () => {
  const never = { timers: new LooksByHand(), write: async () => undefined, onFailed: () => undefined };
  await expect(keepSecretFresh({ ...never, readSecret: () => Promise.reject(new Error("denied")) })).rejects.toThrow(
    "denied",
  );
});
