/**
 * Reads message descriptors out of the official kafka-clients jar at test time. The jar is fetched by
 * `test/conformance/fetch-kafka-clients.sh` into a git-ignored folder; nothing of it is ever committed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";

export const cacheFolder = fileURLToPath(new URL("../../../node_modules/.cache/kafka-clients/", import.meta.url));

/** A field as the descriptors write it. */
export interface DescriptorField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly ignorable?: boolean;
  readonly entityType?: string;
  readonly fields?: readonly DescriptorField[];
}

export interface Descriptor {
  readonly apiKey: number;
  readonly type: string;
  readonly name: string;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly latestVersionUnstable?: boolean;
  readonly fields: readonly DescriptorField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly DescriptorField[] }[];
}

/** Path of the fetched jar whose name begins so; throws with the command to run when there is none. */
export function jarPath(prefix: string): string {
  const names = existsSync(cacheFolder) ? readdirSync(cacheFolder) : [];
  const name = names
    .filter((entry) => entry.startsWith(prefix) && entry.endsWith(".jar"))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error(`no ${prefix}*.jar: run test/conformance/fetch-kafka-clients.sh`);
  return `${cacheFolder}${name}`;
}

/** Every request and response descriptor by its name, such as `FetchRequest`. */
export function readDescriptors(): Map<string, Descriptor> {
  const descriptors = new Map<string, Descriptor>();
  for (const [path, text] of readJarEntries(jarPath("kafka-clients-"), /^common\/message\/.*\.json$/)) {
    const name = path.replace(/^.*\//, "").replace(/\.json$/, "");
    descriptors.set(name, JSON.parse(stripLineComments(text)) as Descriptor);
  }
  return descriptors;
}

/** Removes `// …` outside of strings. */
export function stripLineComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*/g, (token) => (token.startsWith("//") ? "" : token));
}

const END_OF_DIRECTORY = 0x06054b50;
const STORED = 0;

/** The text of the jar's entries whose path matches. Reads the central directory; no encryption, no zip64. */
function readJarEntries(file: string, pattern: RegExp): [string, string][] {
  const jar = readFileSync(file);
  let end = jar.length - 22;
  while (jar.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  const entries: [string, string][] = [];
  let at = jar.readUInt32LE(end + 16);
  for (let left = jar.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = jar.readUInt16LE(at + 28);
    const path = jar.toString("utf8", at + 46, at + 46 + nameLength);
    if (pattern.test(path)) {
      const method = jar.readUInt16LE(at + 10);
      const size = jar.readUInt32LE(at + 20);
      const local = jar.readUInt32LE(at + 42);
      const data = local + 30 + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28);
      const raw = jar.subarray(data, data + size);
      entries.push([path, (method === STORED ? raw : inflateRawSync(raw)).toString("utf8")]);
    }
    at += 46 + nameLength + jar.readUInt16LE(at + 30) + jar.readUInt16LE(at + 32);
  }
  return entries;
}
