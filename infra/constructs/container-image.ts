import { fileURLToPath } from "node:url";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import * as ecs from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";

/** What runs in containers; a folder in `infra/images`, which `npm run images` fills with the bundle. */
export type Deployable = "broker" | "router";

/**
 * The image of a deployable. Built from `infra/images` when it is deployed, unless the context names one that is in a
 * registry already (`-c brokerImage=…`, `-c routerImage=…`), or another architecture (`-c architecture=x86_64`).
 */
export function containerImage(scope: Construct, deployable: Deployable): ecs.ContainerImage {
  const named: unknown = scope.node.tryGetContext(`${deployable}Image`);
  if (typeof named === "string") return ecs.ContainerImage.fromRegistry(named);
  const directory = fileURLToPath(new URL(`../images/${deployable}`, import.meta.url));
  const base: unknown = scope.node.tryGetContext("baseImage");
  return ecs.ContainerImage.fromAsset(directory, {
    platform: isArm(scope) ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    ...(typeof base === "string" ? { buildArgs: { BASE_IMAGE: base } } : {}),
  });
}

export function cpuArchitecture(scope: Construct): ecs.CpuArchitecture {
  return isArm(scope) ? ecs.CpuArchitecture.ARM64 : ecs.CpuArchitecture.X86_64;
}

/** Throws when the context names an architecture for which there are no images: brokers of the wrong one never start. */
function isArm(scope: Construct): boolean {
  const architecture: unknown = scope.node.tryGetContext("architecture") ?? "arm64";
  if (architecture !== "arm64" && architecture !== "x86_64")
    throw new Error(`-c architecture must be arm64 or x86_64, not ${JSON.stringify(architecture)}`);
  return architecture === "arm64";
}
