/**
 * Goal: our message tables say exactly what Apache Kafka's own descriptors say, for every API and version we serve.
 * Method: read the descriptors inside the kafka-clients jar and compare key, versions and every fact of every field.
 */
import { describe, expect, test } from "vitest";
import { allApis } from "../../../shared/kafka/schema/registry.ts";
import { readDescriptors } from "./kafka-clients-jar.ts";
import { differencesOf, intersect, rangeOf, show } from "./schema-difference.ts";
import { servedRanges } from "./served-ranges.ts";

const descriptors = readDescriptors();

describe.each(allApis)("$name", (api) => {
  test("serves the versions that Kafka 4.3 serves", () => {
    const official = descriptors.get(`${api.name}Request`);

    expect(show(api.versions)).toBe(servedRanges[api.name]);
    expect(official?.apiKey).toBe(api.key);
    expect(show(intersect(api.versions, rangeOf(official?.validVersions)))).toBe(show(api.versions));
  });

  test.each(["request", "response"] as const)("%s equals the descriptor", (kind) => {
    const official = descriptors.get(`${api.name}${kind === "request" ? "Request" : "Response"}`);
    if (official === undefined) throw new Error(`no descriptor for ${api.name} ${kind}`);

    const differences = differencesOf({ struct: api[kind], versions: api.versions }, official);

    expect(differences).toEqual([]);
    expect(show(intersect(api.flexibleVersions, api.versions))).toBe(
      show(intersect(rangeOf(official.flexibleVersions), api.versions)),
    );
  });
});

test("every API that is to be served has a table", () => {
  const names = allApis.map((api) => api.name as string);

  expect(names.toSorted()).toEqual(Object.keys(servedRanges).toSorted());
});
