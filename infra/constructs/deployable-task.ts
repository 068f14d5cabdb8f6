import { Duration, Stack } from "aws-cdk-lib";
import * as ecs from "aws-cdk-lib/aws-ecs";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type * as logs from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { stopTimeoutSeconds } from "../fleet/limits.ts";
import { ports } from "../ports.ts";
import { containerImage, cpuArchitecture, type Deployable } from "./container-image.ts";

export interface DeployableTaskProps {
  readonly deployable: Deployable;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** GiB of the task's own disk; undefined: the 20 that every task has. */
  readonly ephemeralGib?: number;
  /** No secret is among them: tasks read those from Secrets Manager by the ARNs in here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroup: logs.ILogGroup;
  /** What health is asked of. */
  readonly healthPort: number;
}

/** The images' user and group. Said in the task as well: by that ECS lets the user write to an EBS volume, which is root's. */
const imageUser = "1000:1000";

/** Where the container's data is: the task's disk, or the volume that is mounted there. */
export const dataPath = "/data";
export const dataVolume = "data";

/**
 * A Fargate task with one container: not root, its image read-only, a data directory and a scratch directory to write to,
 * restarted in place when it crashes (its disk stays), told to end by SIGTERM.
 */
export class DeployableTask extends Construct {
  readonly definition: ecs.FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: DeployableTaskProps) {
    super(scope, id);
    const { deployable, environment, logGroup, healthPort } = props;
    this.definition = new ecs.FargateTaskDefinition(this, "Task", {
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
      ...(props.ephemeralGib === undefined ? {} : { ephemeralStorageGiB: props.ephemeralGib }),
      runtimePlatform: {
        cpuArchitecture: cpuArchitecture(this),
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
      volumes: [{ name: "scratch" }],
    });
    const container = this.definition.addContainer(deployable, {
      image: containerImage(this, deployable),
      environment: { AWS_REGION: Stack.of(this).region, ...environment },
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: deployable, logGroup, mode: ecs.AwsLogDriverMode.NON_BLOCKING }),
      portMappings: [ports.kafka, ports.peer, ports.admin, ports.health].map((containerPort) => ({ containerPort })),
      user: imageUser,
      readonlyRootFilesystem: true,
      enableRestartPolicy: true,
      restartIgnoredExitCodes: [0],
      restartAttemptPeriod: Duration.seconds(60),
      stopTimeout: Duration.seconds(stopTimeoutSeconds),
      healthCheck: {
        command: ["CMD", "/usr/local/bin/node", "/app/health.mjs", String(healthPort)],
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        retries: 4,
        // The most that ECS gives. With its task a broker would lose its disk, because it takes long to read it, say.
        startPeriod: Duration.minutes(5),
      },
    });
    container.addUlimits({ name: ecs.UlimitName.NOFILE, softLimit: 65_536, hardLimit: 65_536 });
    container.addMountPoints({ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false });
    if (deployable === "broker") {
      if (props.ephemeralGib !== undefined) this.definition.addVolume({ name: dataVolume });
      container.addMountPoints({ sourceVolume: dataVolume, containerPath: dataPath, readOnly: false });
    }
  }

  get role(): IRole {
    return this.definition.taskRole;
  }
}
