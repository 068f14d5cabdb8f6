/** `npm run broker -- kill|stop|start|pause|resume ID`: acts on one broker process of the running local cloud. */
import { describeOptions, parseOptions } from "./command-line/options.ts";
import { askSupervisor } from "./control/control-client.ts";
import { type BrokerCommandName, brokerCommands } from "./control/control-protocol.ts";
import { findRun } from "./run-file.ts";

const optionSpecs = [
  {
    name: "data",
    kind: "text",
    placeholder: "DIR",
    help: "The data directory of the cloud, if it is not the default one.",
  },
  { name: "help", kind: "flag", help: "Show this." },
] as const;

const help = `Acts on one broker process of the running local cloud.

  npm run broker -- kill ID      kill -9; started again after --restart-after
  npm run broker -- stop ID      controlled shutdown; stays down
  npm run broker -- start ID     starts one that is down, or hurries its restart
  npm run broker -- pause ID     SIGSTOP
  npm run broker -- resume ID    SIGCONT

Options:
${describeOptions(optionSpecs)}`;

async function run(argv: readonly string[]): Promise<number> {
  const parsed = parseOptions(argv, optionSpecs);
  if (parsed.kind === "refused") return fail(parsed.problem);
  if (parsed.values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [word, id, ...rest] = parsed.positionals;
  const command = brokerCommands.find((name): name is BrokerCommandName => name === word);
  if (command === undefined || id === undefined || !/^\d+$/.test(id) || rest.length > 0) {
    return fail(`expected ${brokerCommands.join("|")} and a broker's id`);
  }
  const found = findRun(parsed.values.data);
  if (found.kind === "not-running") return fail(found.message);
  const answer = await askSupervisor(found.run.controlSocket, { command, brokerId: Number(id) });
  if (!answer.ok) return fail(answer.message);
  process.stdout.write(`${answer.message}\n`);
  return 0;
}

function fail(problem: string): number {
  process.stderr.write(`${problem}\n`);
  return 1;
}

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) =>
  fail(`cannot reach the cloud: ${String(error)}`),
);
