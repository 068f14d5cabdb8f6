import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decoderFor, encoderFor } from "../../../../../shared/kafka/codec/compile-schema.ts";
import { produce } from "../../../../../shared/kafka/schema/produce.ts";
import { advertisedVersions, allApis, apiByKey } from "../../../../../shared/kafka/schema/registry.ts";

describe("registry", () => {
  test("has every schema file once, in the order of the keys", () => {
    const folder = new URL("../../../../../shared/kafka/schema/", import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && name !== "registry.ts");
    const fileNameOf = (apiName: string): string =>
      `${apiName.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.ts`;

    expect(allApis.map((api) => fileNameOf(api.name)).toSorted()).toEqual(files.toSorted());
    expect(allApis.map((api) => api.key)).toEqual(allApis.map((api) => api.key).toSorted((a, b) => a - b));
    expect(new Set(allApis.map((api) => api.key)).size).toBe(allApis.length);
  });

  test("finds an API by its key", () => {
    expect(allApis.every((api) => apiByKey(api.key) === api)).toBe(true);
    expect([apiByKey(-1), apiByKey(4), apiByKey(30_000)]).toEqual([undefined, undefined, undefined]);
  });

  test("advertises Produce from 0, though it is served from 3, as librdkafka expects", () => {
    expect(advertisedVersions(produce)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 });
    expect(decoderFor(produce, "request", 2)).toBeUndefined();
  });

  test.each(allApis)("$name compiles at every version, once", (api) => {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      for (const kind of ["request", "response"] as const) {
        expect(decoderFor(api, kind, version)).toBe(decoderFor(api, kind, version));
        expect(encoderFor(api, kind, version)).toBe(encoderFor(api, kind, version));
      }
    }
  });

  test.each(allApis)("$name has no version outside its range", (api) => {
    expect(decoderFor(api, "request", api.versions.min - 1)).toBeUndefined();
    expect(encoderFor(api, "response", api.versions.max + 1)).toBeUndefined();
  });
});
