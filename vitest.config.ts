import { defineConfig } from "vitest/config";

const projects = ["unit", "scenarios", "contracts", "simulation", "architecture", "cell"] as const;

export default defineConfig({
  test: {
    projects: projects.map((name) => ({
      test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 60_000, hookTimeout: 60_000 },
    })),
  },
});
