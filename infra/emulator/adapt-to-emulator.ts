/**
 * All that is different on an AWS emulator (`-c emulator=true`), each with its reason. The stacks know nothing of it: what
 * they made is changed here, before it is synthesized, so that a fleet in an account can never become weaker by it.
 */
import { CfnSecurityGroupIngress } from "aws-cdk-lib/aws-ec2";
import { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { IConstruct } from "constructs";

/** Whatever a container engine gives to containers, and to the host on their network. */
const privateNetworks = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16";

export function isForEmulator(scope: IConstruct): boolean {
  return String(scope.node.tryGetContext("emulator")) === "true";
}

export function adaptToEmulator(scope: IConstruct): void {
  for (const construct of scope.node.findAll()) {
    // ministack's CloudFormation refuses a template with this type; nothing there filters connections anyway.
    if (construct instanceof CfnSecurityGroupIngress) construct.node.scope?.node.tryRemoveChild(construct.node.id);
    if (construct instanceof FargateTaskDefinition) emulateTask(construct);
  }
}

/** By the name of the container: what it calls the networks from which a PROXY header comes. */
const proxyNetworks: Readonly<Record<string, string>> = {
  broker: "BALAFON_ROUTER_NETWORKS",
  router: "BALAFON_BALANCER_NETWORKS",
};

function emulateTask({ defaultContainer: container }: FargateTaskDefinition): void {
  if (container === undefined) return;
  // The SDK takes an emulator's credentials endpoint, plain HTTP on no loopback address, for unsafe.
  container.addEnvironment("AWS_ACCESS_KEY_ID", "test");
  container.addEnvironment("AWS_SECRET_ACCESS_KEY", "test");
  // Containers stand in a network of the container engine's, not in the subnets that the template describes.
  const name = proxyNetworks[container.containerName];
  if (name !== undefined) container.addEnvironment(name, privateNetworks);
}
