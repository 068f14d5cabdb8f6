/** Findings of cdk-nag that are meant to be so, each with its reason. */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

const reasons: Readonly<Record<string, string>> = {};

export function acknowledgeFindings(scope: IConstruct): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason });
}
