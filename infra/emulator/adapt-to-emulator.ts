/**
 * All that is different on an AWS emulator (`-c emulator=true`), each with its reason. The stacks know nothing of it: what
 * they made is changed here, before it is synthesized, so that a fleet in an account can never become weaker by it.
 */
import { CfnSecurityGroupIngress } from "aws-cdk-lib/aws-ec2";
import { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { IConstruct } from "constructs";

/** podman's own bridge. */
const defaultTaskNetwork = "10.88.0.0/16";

export function isForEmulator(scope: IConstruct): boolean {
  return String(scope.node.tryGetContext("emulator")) === "true";
}

export function adaptToEmulator(scope: IConstruct): void {
  const network = String(scope.node.tryGetContext("emulatorNetwork") ?? defaultTaskNetwork);
  for (const construct of scope.node.findAll()) {
    // ministack's CloudFormation refuses a template with this type; nothing there filters connections anyway.
    if (construct instanceof CfnSecurityGroupIngress) construct.node.scope?.node.tryRemoveChild(construct.node.id);
    if (construct instanceof FargateTaskDefinition) emulateTask(construct, network);
  }
}

function emulateTask(task: FargateTaskDefinition, network: string): void {
  const container = task.defaultContainer;
  // The SDK takes an emulator's credentials endpoint, plain HTTP on no loopback address, for unsafe.
  container?.addEnvironment("AWS_ACCESS_KEY_ID", "test");
  container?.addEnvironment("AWS_SECRET_ACCESS_KEY", "test");
  // Containers stand in a network of the container engine's, not in the subnets that the template describes.
  for (const name of ["BALAFON_BALANCER_NETWORKS", "BALAFON_ROUTER_NETWORKS"]) container?.addEnvironment(name, network);
}
