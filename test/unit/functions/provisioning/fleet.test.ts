import { expect, test } from "vitest";
import { functionConfig } from "../../../../functions/provisioning/config.ts";
import { bootstrapEndpoint } from "../../../../functions/provisioning/fleet.ts";

test("the environment's fleet names the cells once, and where their clients begin for all of them", () => {
  const { fleet } = functionConfig({
    AWS_REGION: "eu-west-1",
    CONTROL_TABLE: "control",
    METADATA_TABLE: "metadata",
    FLEET: JSON.stringify({
      cloud: "AWS",
      region: "eu-west-1",
      kafkaBootstrap: "{lkc}.kafka.example.com:9092",
      open: ["prod-cell-2"],
      draining: ["prod-cell-1"],
    }),
  });
  expect(fleet.cells.map(({ cell, state }) => `${cell} ${state}`)).toEqual([
    "prod-cell-2 open",
    "prod-cell-1 draining",
  ]);
  for (const { cell } of fleet.cells)
    expect(bootstrapEndpoint(fleet, cell, "lkc-a")).toBe("SASL_SSL://lkc-a.kafka.example.com:9092");
});
