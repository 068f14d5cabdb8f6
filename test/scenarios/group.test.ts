import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { GroupScenario } from "./group/group-scenario.ts";
import { runScript } from "./script.ts";

const folder = path.join(import.meta.dirname, "group");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));

/** The commands are told in `group/group-scenario.ts`. `UPDATE_SCENARIOS=1` writes what is printed now. */
describe("classic group", () => {
  test.each(scripts)("%s", async (name) => {
    const file = path.join(folder, name);
    const expected = readFileSync(file, "utf8");
    const scenario = new GroupScenario();
    const printed = await runScript(expected, (command) => scenario.run(command));
    if (process.env["UPDATE_SCENARIOS"] === "1") writeFileSync(file, printed);
    else expect(printed).toBe(expected);
  });
});
