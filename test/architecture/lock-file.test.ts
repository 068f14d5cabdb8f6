import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * npm leaves optional packages of other platforms out of the lock when a registry mirror does not have them; `npm ci`
 * of npm 11 then refuses the lock, on every machine.
 */
test("the lock names the optional packages of every platform", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const missing = Object.entries(packages).flatMap(([dependent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !resolutionPaths(dependent).some((folder) => packages[`${folder}node_modules/${name}`] !== undefined),
    ),
  );
  expect(missing).toEqual([]);
});

/** The folders in which Node looks for a dependency of the package, from its own outwards. */
function resolutionPaths(dependent: string): string[] {
  const parts = dependent.split("node_modules/");
  return parts.map((_, index) => {
    const inner = parts.slice(0, parts.length - index).join("node_modules/");
    return inner === "" || inner.endsWith("/") ? inner : `${inner}/`;
  });
}
