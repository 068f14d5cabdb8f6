import type { TObject, TSchema } from "@sinclair/typebox";
import { contract } from "../../functions/provisioning/contract/contract.ts";
import type { RouteDefinition } from "../../functions/provisioning/contract/route.ts";
import { auditKeptMs, requestBurstMax, requestsPerSecondMax } from "../../functions/provisioning/limits.ts";
import { renderTable } from "./page-table.ts";

const dayMs = 86_400_000;

/** The provisioning API for people. */
export function renderProvisioningApiPage(): string {
  const routes = Object.entries(contract) as readonly (readonly [string, RouteDefinition])[];
  const tags = [...new Set(routes.map(([, { tag }]) => tag))];
  const rows = routes.map(([, route]) => [`\`${route.method} ${route.path}\``, String(route.status), route.summary]);
  const chapters = tags.map((tag) => {
    const ofTag = routes.filter(([, route]) => route.tag === tag);
    return `## ${tag}\n\n${ofTag.map(([name, route]) => sectionOf(name, route)).join("\n")}`;
  });
  return `# The provisioning API

Made by \`npm run docs\` from the route table (\`functions/provisioning/contract\`); a test fails when this page is stale.

The same as an OpenAPI document: [openapi.json](openapi.json). Shapes follow Confluent Cloud's published API, so that its SDKs work
with another base URL; what is not in this page is answered with 404, unknown fields and parameters with 400.

- **Who calls**: HTTP Basic with the id and the secret of a cloud API key. A cloud key belongs to an organization and sees nothing of
  others (404). Keys of the operator's organization are operators': they act for another one with the header
  \`Balafon-Organization\`.
- **Errors**: \`{"errors":[{"id","status","code","title","detail","source":{"pointer"|"parameter"}}]}\`; \`id\` is the request's, as in
  \`X-Request-Id\`.
- **Rate**: ${requestsPerSecondMax} requests a second of one key, ${requestBurstMax} at once; each answer has \`X-RateLimit-Limit\`, \`-Remaining\` and \`-Reset\`,
  a 429 also \`Retry-After\`. (Each instance of the function counts for itself; API Gateway throttles in front of all.)
- **Pages**: \`page_size\` and \`page_token\`; \`metadata.next\` is the next page's address. Tokens stay good whatever is made and deleted
  meanwhile. A filtered page may be short; only a missing \`next\` is the end.
- **Sent again**: a POST with an \`Idempotency-Key\` finds what the first made for ten minutes. Every call may be sent again after an
  answer that got lost; a DELETE then says 404.
- **Audit**: every change is recorded with who, when, from where and outcome, for ${auditKeptMs / dayMs} days.

${renderTable(["call", "answers", ""], rows)}
${chapters.join("\n")}`;
}

function sectionOf(name: string, route: RouteDefinition): string {
  const described = route.description === undefined ? "" : `\n${route.description}\n`;
  const role = route.role === "operator" ? " Operators only." : "";
  return `### \`${route.method} ${route.path}\`

${route.summary}.${role} (\`${name}\`)
${described}
${fieldsOf(route.query, "query")}${route.body === undefined ? "" : fieldsOf(route.body, "body")}`;
}

function fieldsOf(schema: TSchema, part: string): string {
  const fields = flat(schema, "");
  if (fields.length === 0) return "";
  const rows = fields.map(({ path, needed, about }) => [`\`${path}\``, needed ? "yes" : "", about]);
  return `${renderTable([part, "required", ""], rows)}\n`;
}

interface Field {
  readonly path: string;
  readonly needed: boolean;
  readonly about: string;
}

/** Fields of an object, those of inner ones by their path. */
function flat(schema: TSchema, prefix: string): readonly Field[] {
  const { properties, required = [] } = schema as TObject;
  return Object.entries(properties ?? {}).flatMap(([name, property]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    // Of a reference only its id counts.
    if (property["type"] === "object" && property["properties"]?.id === undefined) return flat(property, path);
    return [{ path, needed: required.includes(name), about: aboutOf(property) }];
  });
}

function aboutOf(property: TSchema): string {
  const { type, enum: choices, const: only, description = "", maxLength } = property;
  const kind = choices ?? (only === undefined ? undefined : [only]);
  const what =
    kind !== undefined
      ? (kind as readonly string[]).map((one) => `\`${one}\``).join(", ")
      : type === "object"
        ? "`{id}`"
        : `${type}${maxLength === undefined ? "" : ` of ${maxLength} characters at most`}`;
  return description === "" ? what : `${what}. ${description}`;
}
