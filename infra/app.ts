/**
 * The CDK app: `npx cdk deploy --all -c fleet=infra/fleets/NAME.json`. The base stacks hold the network, the data, the way in,
 * the API and the dashboard; each cell is a stack of its own.
 */
import { App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { acknowledgeFindings } from "./compliance/acknowledged-findings.ts";
import { adaptToEmulator, isForEmulator } from "./emulator/adapt-to-emulator.ts";
import { readFleetFile } from "./fleet/read-fleet-file.ts";
import { makeFleet } from "./fleet-stacks.ts";

const defaultFleet = "infra/fleets/test.json";

const app = new App();
const file = String(app.node.tryGetContext("fleet") ?? defaultFleet);
const read = readFleetFile(file);
if (read.kind === "invalid") {
  process.stderr.write(`${file}:\n  ${read.problems.join("\n  ")}\n`);
  process.exit(2);
}
makeFleet(app, read.fleet);
if (isForEmulator(app)) adaptToEmulator(app);
for (const [name, value] of Object.entries(read.fleet.tags)) Tags.of(app).add(name, value);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
acknowledgeFindings(app, read.fleet);
