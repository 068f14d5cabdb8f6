import { expect, test } from "vitest";
import { parseStartCommand } from "../../../../local/command-line/start-options.ts";

const refusal = (...argv: string[]) => {
  const command = parseStartCommand(argv);
  return command.kind === "refused" ? command.problem : command.kind;
};

test("without arguments: three brokers' worth of defaults", () => {
  expect(parseStartCommand([])).toEqual({
    kind: "start",
    options: {
      dataDirectory: undefined,
      fresh: false,
      brokers: undefined,
      kafkaPort: 9092,
      tlsPort: 9192,
      adminPort: 9292,
      apiPort: 9080,
      cells: undefined,
      routerPort: 9392,
      cellConfigs: {},
      restartAfterMs: 10_000,
      awsEndpoint: undefined,
      json: false,
    },
  });
});

test("every option is read", () => {
  const argv =
    "--data d --fresh --brokers 5 --cells 2 --api-port 0 --router-port 19392 --kafka-port 19092 --tls-port=19192 --admin-port 0 --set num.partitions=6 --set a.b=c=d --restart-after 0 --aws-endpoint http://127.0.0.1:4566 --json";
  expect(parseStartCommand(argv.split(" "))).toEqual({
    kind: "start",
    options: {
      dataDirectory: "d",
      fresh: true,
      brokers: 5,
      kafkaPort: 19_092,
      tlsPort: 19_192,
      adminPort: 0,
      apiPort: 0,
      cells: 2,
      routerPort: 19_392,
      cellConfigs: { "num.partitions": "6", "a.b": "c=d" },
      restartAfterMs: 0,
      awsEndpoint: "http://127.0.0.1:4566",
      json: true,
    },
  });
});

test("what is unknown or wrong is refused, with a hint", () => {
  expect(refusal("--broker", "3")).toBe("--broker is not known; did you mean --brokers?");
  expect(refusal("--kafka-prot", "3")).toBe("--kafka-prot is not known; did you mean --kafka-port?");
  expect(refusal("--nonsense")).toBe("--nonsense is not known");
  expect(refusal("-x")).toBe("-x is not known");
  expect(refusal("9092")).toContain("9092 is not expected; options begin with --, and npm wants one more");
  expect(refusal("--brokers", "0")).toBe('--brokers must be a whole number from 1 to 9, not "0"');
  expect(refusal("--kafka-port", "70000")).toContain("from 0 to 65535");
  expect(refusal("--kafka-port", "9e3")).toContain("whole number");
  expect(refusal("--kafka-port")).toBe("--kafka-port needs a value: --kafka-port PORT");
  expect(refusal("--set", "num.partitions")).toBe('--set needs NAME=VALUE, not "num.partitions"');
  expect(refusal("--aws-endpoint", "localhost:4566")).toContain("needs an http or https URL");
  expect(refusal("--json=yes")).toBe("--json takes no value");
});

test("--help names every option", () => {
  const command = parseStartCommand(["--help"]);
  const text = command.kind === "help" ? command.text : "";
  const names = "data fresh brokers kafka-port tls-port admin-port set restart-after aws-endpoint json help".split(" ");
  expect(names.filter((name) => !text.includes(`  --${name}`))).toEqual([]);
});
