import { networkInterfaces } from "node:os";

/** What Fargate tells a container about its task (ECS task metadata endpoint, version 4). */
export interface TaskPlace {
  /** The address of the task's own network interface. */
  readonly address: string;
}

interface ContainerMetadata {
  readonly Networks?: readonly { readonly IPv4Addresses?: readonly string[] }[];
}

const metadataMsMax = 5_000;

/** Asks the endpoint at `uri` (the variable ECS_CONTAINER_METADATA_URI_V4). Errors: an Error that says what was not told. */
export async function readTaskPlace(uri: string): Promise<TaskPlace> {
  const response = await fetch(uri, { signal: AbortSignal.timeout(metadataMsMax) });
  if (!response.ok) throw new Error(`the task metadata endpoint answered ${response.status}`);
  const metadata = (await response.json()) as ContainerMetadata;
  const address = metadata.Networks?.[0]?.IPv4Addresses?.[0] ?? onlyAddress();
  if (address === undefined) throw new Error("the task metadata endpoint told no address");
  return { address };
}

/** For emulators, whose endpoint tells none: the container's one address, if there is no doubt which. */
function onlyAddress(): string | undefined {
  const found = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each !== undefined && !each.internal && each.family === "IPv4")
    .map((each) => each?.address);
  return found.length === 1 ? found[0] : undefined;
}
