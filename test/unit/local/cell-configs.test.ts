import { expect, test } from "vitest";
import { cellConfigProblem, configsForSize } from "../../../local/cell-configs.ts";

test("Kafka's broker configs are taken by name", () => {
  const configs = {
    "num.partitions": "6",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "log.retention.ms": "60000",
  };
  expect(cellConfigProblem(configs)).toBeUndefined();
});

test("unknown names, wrong values and what cannot change are refused", () => {
  expect(cellConfigProblem({ "num.partition": "6" })).toBe(
    "--set num.partition: no such broker config; did you mean num.partitions?",
  );
  expect(cellConfigProblem({ nonsense: "1" })).toBe(
    "--set nonsense: no such broker config (docs/configs.md has them all)",
  );
  for (const name of ["retention.ms", "log.retention.hours", "log.retention.minutes"]) {
    expect(cellConfigProblem({ [name]: "5" })).toBe(
      `--set ${name}: no such broker config; did you mean log.retention.ms?`,
    );
  }
  expect(cellConfigProblem({ "num.partitions": "six" })).toMatch(/^--set num\.partitions=six: .*whole number/);
  expect(cellConfigProblem({ "delete.topic.enable": "false" })).toMatch(/always true here/);
});

test("the defaults of a small cell can be met, and are themselves valid", () => {
  for (const brokers of ["1", "2"])
    expect(configsForSize(Number(brokers))).toEqual({
      "default.replication.factor": brokers,
      "min.insync.replicas": brokers,
      "offsets.topic.replication.factor": brokers,
    });
  expect(configsForSize(3)).toEqual({});
  expect(cellConfigProblem(configsForSize(1))).toBeUndefined();
});
