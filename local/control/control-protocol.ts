/** What `npm run broker` asks of a running cloud: one JSON line there, one back, over the control socket. */
export const brokerCommands = ["kill", "stop", "start", "pause", "resume"] as const;
export type BrokerCommandName = (typeof brokerCommands)[number];

export interface ControlRequest {
  readonly command: BrokerCommandName;
  readonly brokerId: number;
}

export interface ControlAnswer {
  readonly ok: boolean;
  /** A sentence for a person. */
  readonly message: string;
}

/** Undefined when the line is no request. */
export function parseControlRequest(line: string): ControlRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { command, brokerId } = value as Record<string, unknown>;
  const known = brokerCommands.find((name) => name === command);
  if (known === undefined || typeof brokerId !== "number" || !Number.isInteger(brokerId)) return undefined;
  return { command: known, brokerId };
}
