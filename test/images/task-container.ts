/** A task's container: run by podman as ECS would run it, with volumes that are there for as long as the task is. */
import { readFileSync } from "node:fs";
import { podman, tryPodman } from "./podman.ts";
import type { Task } from "./task.ts";

export interface ContainerPlace {
  readonly name: string;
  readonly network: string;
  readonly address: string;
  /** What AWS adds to the definition's: where the task's metadata is, and credentials; and here, where the emulator is. */
  readonly environment: Readonly<Record<string, string>>;
  /** Instead of the task's own volume: a directory of this machine with the group that may write to it, as with EBS. */
  readonly volume?: { readonly path: string; readonly directory: string; readonly group: number };
}

const healthPollMs = 250;
const processesMax = 4_096;

export class TaskContainer {
  readonly place: ContainerPlace;
  readonly task: Task;

  private constructor(task: Task, place: ContainerPlace) {
    this.task = task;
    this.place = place;
  }

  static async run(task: Task, place: ContainerPlace): Promise<TaskContainer> {
    const openFiles = Math.min(task.openFilesMax, hardLimit("Max open files"));
    const processes = Math.min(processesMax, hardLimit("Max processes"));
    const environment = { ...task.environment, ...place.environment };
    await podman([
      ...["run", "--detach", "--pull", "never", "--name", place.name],
      ...["--network", place.network, "--ip", place.address],
      ...["--user", task.user, "--cap-drop", "all"],
      ...(task.readonlyRoot ? ["--read-only", "--read-only-tmpfs=false"] : []),
      ...["--memory", `${task.memoryMiB}m`, "--ulimit", `nofile=${openFiles}:${openFiles}`],
      // Podman's own is more than some machines allow.
      ...["--ulimit", `nproc=${processes}:${processes}`],
      ...["--stop-timeout", String(task.stopTimeoutSeconds)],
      ...Object.entries(task.mounts).flatMap(([path, volume]) => mountOf(place, path, volume)),
      ...(place.volume === undefined ? [] : ["--group-add", String(place.volume.group)]),
      ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      task.image,
    ]);
    return new TaskContainer(task, place);
  }

  /** Exit code of the task's health check; not 0 when the container does not run either. */
  async health(): Promise<number> {
    return (await tryPodman(["exec", this.place.name, ...this.task.healthCommand])).code;
  }

  /** Resolves when the health check is good; rejects with the container's last words. */
  async untilHealthy(msMax = 60_000): Promise<void> {
    const deadlineMs = performance.now() + msMax;
    while ((await this.health()) !== 0) {
      if (performance.now() > deadlineMs || !(await this.isRunning()))
        throw new Error(`${this.place.name} is not healthy:\n${await this.logs(30)}`);
      await new Promise((resolve) => setTimeout(resolve, healthPollMs));
    }
  }

  /** Runs a script of Node in the container, as its user. */
  execute(script: string): Promise<string> {
    return podman(["exec", this.place.name, "/usr/local/bin/node", "-e", script]);
  }

  async isRunning(): Promise<boolean> {
    return (await podman(["inspect", "--format", "{{.State.Running}}", this.place.name])) === "true";
  }

  signal(name: "TERM" | "KILL" | "STOP" | "CONT"): Promise<string> {
    return podman(["kill", "--signal", name, this.place.name]);
  }

  /** As ECS ends a task: SIGTERM, and SIGKILL when its stop timeout is over. Resolves with the exit code: 137 if it was killed. */
  async stop(): Promise<number> {
    await podman(["stop", this.place.name], (this.task.stopTimeoutSeconds + 30) * 1_000);
    return this.exitCode();
  }

  /** Waits for the container's end. */
  async exitCode(): Promise<number> {
    return Number(await podman(["wait", this.place.name], (this.task.stopTimeoutSeconds + 30) * 1_000));
  }

  /** In place, as ECS restarts a container that crashed: on its volumes, at its address. */
  async restart(): Promise<void> {
    await podman(["start", this.place.name]);
  }

  /** Lines of stdout and stderr that are JSON, oldest first. */
  async logged(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return (await this.logs()).split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line) as Readonly<Record<string, unknown>>];
      } catch {
        return [];
      }
    });
  }

  async logs(linesMax = 100_000): Promise<string> {
    const { stdout, stderr } = await tryPodman(["logs", "--tail", String(linesMax), this.place.name]);
    return `${stdout}${stderr}`;
  }

  /** The task is over: so are its volumes, but for a directory of this machine. */
  async remove(): Promise<void> {
    await tryPodman(["rm", "--force", "--time", "0", this.place.name]);
    for (const volume of Object.values(this.task.mounts))
      await tryPodman(["volume", "rm", "--force", volumeName(this.place, volume)]);
  }
}

function mountOf(place: ContainerPlace, path: string, volume: string): readonly string[] {
  const source = place.volume?.path === path ? place.volume.directory : volumeName(place, volume);
  return ["--volume", `${source}:${path}`];
}

function volumeName({ name }: ContainerPlace, volume: string): string {
  return `${name}-${volume}`;
}

/** A container may not raise a limit where its machine does not let root do so. */
function hardLimit(name: string): number {
  const [, hard = ""] =
    new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, "m").exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}
