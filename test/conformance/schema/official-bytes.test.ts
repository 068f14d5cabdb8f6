/**
 * Goal: Apache Kafka reads our bytes as we mean them, and writes the very same bytes; and its error codes are ours.
 * Method: random messages of every API and version, encoded by us, are read and written again by Kafka's own classes.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encoderFor, type MessageKind } from "../../../shared/kafka/codec/compile-schema.ts";
import type { Api } from "../../../shared/kafka/codec/fields.ts";
import { Writer } from "../../../shared/kafka/codec/writer.ts";
import { kafkaErrors } from "../../../shared/kafka/error-codes.ts";
import { allApis } from "../../../shared/kafka/schema/registry.ts";
import { messageArbitrary } from "../../unit/shared/kafka/codec/message-arbitrary.ts";
import { askKafka } from "./kafka-oracle.ts";

const samplesPerVersion = 8;

function bodyBytes(api: Api, kind: MessageKind, version: number, body: unknown): Buffer {
  const encoder = encoderFor(api, kind, version);
  if (encoder === undefined) throw new Error(`no ${api.name} v${version}`);
  const writer = new Writer(encoder.names);
  encoder.encode(writer, body);
  return Buffer.concat(writer.chunks());
}

interface Question {
  readonly api: Api;
  readonly kind: MessageKind;
  readonly version: number;
  readonly hex: string;
}

function questions(): Question[] {
  const asked: Question[] = [];
  for (const api of allApis as readonly Api[]) {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      for (const kind of ["request", "response"] as const) {
        const bodies = fc.sample(messageArbitrary(api, kind, version), { numRuns: samplesPerVersion, seed: version });
        for (const body of bodies) {
          asked.push({ api, kind, version, hex: bodyBytes(api, kind, version, body).toString("hex") });
        }
      }
    }
  }
  return asked;
}

describe("Apache Kafka's own classes", () => {
  test("read our messages and write the same bytes", () => {
    const asked = questions();

    const answers = askKafka(
      "echo",
      asked.map(({ api, kind, version, hex }) => `${kind} ${api.key} ${version} ${hex}`).join("\n"),
    );

    const differing = asked.flatMap(({ api, kind, version, hex }, index) =>
      answers[index] === hex ? [] : [`${api.name} ${kind} v${version}: ${hex} came back as ${answers[index]}`],
    );
    expect(answers.length).toBe(asked.length);
    expect(differing).toEqual([]);
  });

  test("have our error codes", () => {
    const ours = kafkaErrors.map((error) => `${error.code} ${error.name} ${error.retriable}`);

    const theirs = askKafka("errors", "");

    expect(ours).toEqual(theirs);
  });
});
