/** The cells behind one provisioning API, as the operator configures them. */
export interface Fleet {
  /** As clients name it: `AWS`. */
  readonly cloud: string;
  readonly region: string;
  readonly cells: readonly FleetCell[];
}

export interface FleetCell {
  readonly cell: string;
  /** Nothing new is placed in a draining cell; what is there goes on. */
  readonly state: "open" | "draining";
  /** Where clients of a logical cluster begin; `{lkc}` stands for its id. `{lkc}.kafka.example.com:9092`. */
  readonly kafkaBootstrap: string;
}

/**
 * A fleet as the functions' environment has it. Lambda gives 4,096 bytes to all variables of a function together, so what
 * is the same for all cells is said once.
 */
export interface DeployedFleet extends Pick<Fleet, "cloud" | "region">, Pick<FleetCell, "kafkaBootstrap"> {
  readonly open: readonly string[];
  readonly draining: readonly string[];
}

export function fleetOf({ cloud, region, kafkaBootstrap, open, draining }: DeployedFleet): Fleet {
  const cells = (state: FleetCell["state"], names: readonly string[]) =>
    names.map((cell) => ({ cell, state, kafkaBootstrap }));
  return { cloud, region, cells: [...cells("open", open), ...cells("draining", draining)] };
}

/** `SASL_SSL://host:port`, as clients of the published API expect it. */
export function bootstrapEndpoint(fleet: Fleet, cell: string, lkc: string): string {
  const found = fleet.cells.find((candidate) => candidate.cell === cell);
  return found === undefined ? "" : `SASL_SSL://${found.kafkaBootstrap.replaceAll("{lkc}", lkc)}`;
}
