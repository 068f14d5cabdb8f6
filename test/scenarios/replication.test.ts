import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ReplicationScenario } from "./replication/replication-scenario.ts";
import { runScript } from "./script.ts";

const folder = path.join(import.meta.dirname, "replication");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));

/** The commands are told in `replication/replication-scenario.ts`. `UPDATE_SCENARIOS=1` writes what is printed now. */
describe("replication", () => {
  test.each(scripts)("%s", async (name) => {
    const file = path.join(folder, name);
    const expected = readFileSync(file, "utf8");
    const scenario = new ReplicationScenario();
    const printed = await runScript(expected, (command) => scenario.run(command));
    if (process.env["UPDATE_SCENARIOS"] === "1") writeFileSync(file, printed);
    else expect(printed).toBe(expected);
  });
});
