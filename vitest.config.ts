import { defineConfig } from "vitest/config";

/** Run by `npm test`, in this order: the quick ones first, what loads the whole machine last and one file at a time. */
const quickProjects = ["unit", "scenarios", "contracts", "architecture"] as const;
const heavyProjects = ["infra", "simulation", "cell"] as const;
/** Need Java, an AWS emulator, containers or the like: run by name from `.ci/run`, never by `npm test`. */
const extraProjects = ["conformance", "local-aws", "images"] as const;

/** Only end what hangs: on a machine that others keep busy a test of two seconds may take a minute and a half. */
const quickTimeoutMs = 240_000;
const heavyTimeoutMs = 600_000;

function project(name: string, options: { readonly order: number; readonly heavy: boolean }) {
  const timeoutMs = options.heavy ? heavyTimeoutMs : quickTimeoutMs;
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism: !options.heavy,
      sequence: { groupOrder: options.order },
      benchmark: { include: [] },
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      ...quickProjects.map((name) => project(name, { order: 0, heavy: false })),
      ...heavyProjects.map((name, index) => project(name, { order: 1 + index, heavy: true })),
      ...extraProjects.map((name, index) => project(name, { order: 10 + index, heavy: true })),
    ],
    passWithNoTests: true,
  },
});
