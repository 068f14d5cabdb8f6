import { expect, test } from "vitest";
import { contract } from "../../../../functions/provisioning/contract/contract.ts";
import { openapiDocument } from "../../../../functions/provisioning/openapi.ts";
import { matchRoute } from "../../../../functions/provisioning/route-match.ts";

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody?: unknown;
}

const document = openapiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

test("every route is in the document, with its own answer and the failures that it may end with", () => {
  for (const [name, { method, path, status, errors, body }] of Object.entries(contract)) {
    const operation = document.paths[path]?.[method.toLowerCase()];
    expect(operation?.operationId).toBe(name);
    for (const code of [status, ...errors, 400, 401, 404, 429]) expect(operation?.responses).toHaveProperty(`${code}`);
    expect(operation?.requestBody !== undefined).toBe(body !== undefined);
  }
});

test("every reference of the document leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
  expect(references.length).toBeGreaterThan(0);
  for (const reference of new Set(references)) {
    const found = reference
      .split("/")
      .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], document);
    expect([reference, found !== undefined]).toEqual([reference, true]);
  }
});

test("paths find their route and nothing else", () => {
  for (const [name, { method, path, params }] of Object.entries(contract)) {
    const filled = path.replaceAll(/\{\w+\}/g, "a%20b");
    const match = matchRoute(method, filled);
    expect(match).toMatchObject({ kind: "route", name });
    if (match.kind === "route") expect(Object.keys(match.params)).toEqual(Object.keys(params.properties));
    expect(matchRoute(method, `${filled}/more/still`).kind).toBe("none");
  }
});
