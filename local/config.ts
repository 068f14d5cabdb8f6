/** The only place of `local` that reads the environment. */
import { fileURLToPath } from "node:url";

/**
 * Where Node keeps what it compiled, for all data directories; `npm ci` empties it. package.json names it too, for the
 * process that a command starts with.
 */
export const compileCache = fileURLToPath(new URL("../node_modules/.cache/balafon", import.meta.url));

/**
 * What a child process starts with: ours, the cache of compiled code, and as many threads as the image of a broker has
 * (docs/adr/0003, rule 2).
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: compileCache, UV_THREADPOOL_SIZE: "8" };
}

/** Whether npm started this process, so that it should not outlive npm. */
export function isStartedByNpm(): boolean {
  return process.env["npm_lifecycle_event"] !== undefined;
}

const defaultRegion = "us-east-1";

/** Where the AWS SDK would look first; an emulator takes any. */
export function awsRegion(): string {
  return process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? defaultRegion;
}

/** The address of AWS that the AWS SDK would use; none: AWS's own. */
export function awsEndpoint(): string | undefined {
  return process.env["AWS_ENDPOINT_URL"];
}

const projectPrograms = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));

/** What a command that deploys is run with: an emulator for AWS, and nothing of a real account. */
export function emulatorEnvironment(place: { readonly endpoint: string; readonly region: string }): NodeJS.ProcessEnv {
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...inherited } = process.env;
  return { ...inherited, PATH: `${projectPrograms}:${process.env["PATH"] ?? ""}`, ...emulatorVariables(place) };
}

/** The same for the SDK in this process and in those that it starts. */
export function useEmulator(place: { readonly endpoint: string; readonly region: string }): void {
  delete process.env["AWS_PROFILE"];
  delete process.env["AWS_SESSION_TOKEN"];
  Object.assign(process.env, emulatorVariables(place));
}

/** Emulators take any credentials, and the account from them. */
function emulatorVariables({ endpoint, region }: { readonly endpoint: string; readonly region: string }) {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    CDK_DISABLE_CLI_TELEMETRY: "true",
  };
}
