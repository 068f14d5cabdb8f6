import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { jarPath } from "./kafka-clients-jar.ts";

const outputBytesMax = 256 * 1024 * 1024;
const oracleMs = 110_000;

/** Asks Apache Kafka's own classes; gives the lines of the answer. Needs a JDK of version 17 or newer. */
export function askKafka(mode: "errors" | "echo", input: string): string[] {
  const classPath = `${jarPath("kafka-clients-")}:${jarPath("slf4j-api-")}`;
  const source = fileURLToPath(new URL("kafka-oracle.java", import.meta.url));
  const output = execFileSync("java", ["-cp", classPath, source, mode], {
    input,
    maxBuffer: outputBytesMax,
    timeout: oracleMs,
    encoding: "utf8",
    // slf4j says on stderr that no logging backend is there.
    stdio: ["pipe", "pipe", "ignore"],
  });
  return output.trimEnd().split("\n");
}
