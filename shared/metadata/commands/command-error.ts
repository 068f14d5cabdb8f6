import type { ErrorName } from "../../kafka/error-codes.ts";

/** Why a command, or one part of it, was refused; the name is Kafka's, the message may be shown to a tenant. */
export interface CommandError {
  readonly kind: "failed";
  readonly error: ErrorName;
  readonly message: string;
}

export function refused(error: ErrorName, message: string): CommandError {
  return { kind: "failed", error, message };
}
