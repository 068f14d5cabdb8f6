/** Schemas of what the provisioning API takes and gives; JSON Schema for the validator and the document, types for the code. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { descriptionCharactersMax, nameCharactersMax, pageSizeDefault, pageSizeMax } from "../limits.ts";

/** An object that takes no other fields. */
export function closed<P extends TProperties>(properties: P, options: Record<string, unknown> = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** Text without control characters. */
const printable = "^[^\\u0000-\\u001f\\u007f]+$";

export const displayName = Type.String({
  minLength: 1,
  maxLength: nameCharactersMax,
  pattern: printable,
  description: "A name for people.",
  examples: ["orders"],
});
const description = Type.String({ maxLength: descriptionCharactersMax, description: "What it is for." });

export const clusterId = Type.String({ pattern: "^lkc-[a-z0-9]{3,32}$", examples: ["lkc-7k2m9abc"] });
export const environmentId = Type.String({ pattern: "^env-[a-z0-9]{3,32}$", examples: ["env-8m4k2xyz"] });
export const serviceAccountId = Type.String({ pattern: "^sa-[a-z0-9]{3,32}$", examples: ["sa-3n7p5qrs"] });
export const organizationId = Type.String({ pattern: "^org-[a-z0-9]{3,32}$", examples: ["org-local234"] });
export const apiKeyId = Type.String({ pattern: "^[A-Z0-9]{3,32}$", examples: ["K7Q2M9XAB3CD"] });

/** What clients may send along of a reference that they got: only the id counts. */
const referenceExtras = {
  environment: Type.Optional(Type.String({ maxLength: nameCharactersMax })),
  related: Type.Optional(Type.String({ maxLength: descriptionCharactersMax })),
  resource_name: Type.Optional(Type.String({ maxLength: descriptionCharactersMax })),
  api_version: Type.Optional(Type.String({ maxLength: nameCharactersMax })),
  kind: Type.Optional(Type.String({ maxLength: nameCharactersMax })),
};
export interface ReferenceRequest {
  readonly id: string;
  readonly environment?: string;
}
/** A reference in a request. */
const reference = (id: TSchema) => Type.Unsafe<ReferenceRequest>(closed({ id, ...referenceExtras }));

const time = Type.String({ format: "date-time", examples: ["2026-11-28T12:00:00.000Z"] });

const objectMetadata = Type.Object({
  self: Type.String({ description: "Where the object is." }),
  resource_name: Type.String({ description: "Its name among all of the service." }),
  created_at: time,
  updated_at: time,
  deleted_at: Type.Optional(time),
});

const givenReference = Type.Object({
  id: Type.String(),
  related: Type.String(),
  resource_name: Type.String(),
});

const availabilityChoice = Type.Unsafe<"SINGLE_ZONE" | "MULTI_ZONE" | "LOW" | "HIGH">({
  type: "string",
  enum: ["SINGLE_ZONE", "MULTI_ZONE", "LOW", "HIGH"],
  description: "Kept and shown. Every logical cluster is spread over three zones.",
});

const configChoice = closed(
  { kind: Type.Unsafe<"Basic" | "Standard">({ type: "string", enum: ["Basic", "Standard"] }) },
  { description: "Other kinds, and limits in CKUs, are not offered yet." },
);

const apiVersionOf = (value: string) => Type.Optional(Type.Literal(value));

export const clusterCreate = closed({
  api_version: apiVersionOf("cmk/v2"),
  kind: apiVersionOf("Cluster"),
  spec: closed({
    display_name: displayName,
    availability: Type.Optional(availabilityChoice),
    cloud: Type.Optional(
      Type.String({ maxLength: nameCharactersMax, examples: ["AWS"], description: "The fleet's, if given." }),
    ),
    region: Type.Optional(
      Type.String({ maxLength: nameCharactersMax, examples: ["us-east-1"], description: "The fleet's, if given." }),
    ),
    config: Type.Optional(configChoice),
    deletion_protection: Type.Optional(Type.Boolean({ description: "While true, DELETE is refused with 409." })),
    environment: Type.Optional(reference(environmentId)),
  }),
});

export const clusterUpdate = closed({
  api_version: apiVersionOf("cmk/v2"),
  kind: apiVersionOf("Cluster"),
  spec: closed({
    display_name: Type.Optional(displayName),
    config: Type.Optional(configChoice),
    deletion_protection: Type.Optional(Type.Boolean()),
    environment: Type.Optional(reference(environmentId)),
  }),
});

export const cluster = Type.Object({
  api_version: Type.Literal("cmk/v2"),
  kind: Type.Literal("Cluster"),
  id: clusterId,
  metadata: objectMetadata,
  spec: Type.Object({
    display_name: Type.String(),
    availability: availabilityChoice,
    cloud: Type.String(),
    region: Type.String(),
    config: Type.Object({ kind: Type.String() }),
    kafka_bootstrap_endpoint: Type.String({ examples: ["SASL_SSL://lkc-7k2m9abc.kafka.example.com:9092"] }),
    deletion_protection: Type.Boolean(),
    environment: givenReference,
  }),
  status: Type.Object({
    phase: Type.Unsafe<"PROVISIONING" | "PROVISIONED">({ type: "string", enum: ["PROVISIONING", "PROVISIONED"] }),
  }),
});

export const apiKeyCreate = closed({
  api_version: apiVersionOf("iam/v2"),
  kind: apiVersionOf("ApiKey"),
  spec: closed({
    display_name: Type.Optional(Type.String({ maxLength: nameCharactersMax })),
    description: Type.Optional(description),
    owner: Type.Optional(reference(serviceAccountId)),
    resource: Type.Optional(
      reference(
        Type.String({
          pattern: "^(lkc-[a-z0-9]{3,32}|cloud)$",
          description: "A logical cluster; `cloud`, or no resource: a key for this API.",
        }),
      ),
    ),
    expires_at: Type.Optional(
      Type.String({ format: "date-time", description: "From then on it authenticates nobody. Left out: never." }),
    ),
  }),
});

export const apiKeyUpdate = closed({
  api_version: apiVersionOf("iam/v2"),
  kind: apiVersionOf("ApiKey"),
  spec: closed({
    display_name: Type.Optional(Type.String({ maxLength: nameCharactersMax })),
    description: Type.Optional(description),
  }),
});

export const apiKey = Type.Object({
  api_version: Type.Literal("iam/v2"),
  kind: Type.Literal("ApiKey"),
  id: apiKeyId,
  metadata: objectMetadata,
  spec: Type.Object({
    secret: Type.Optional(Type.String({ description: "Only in the first answer to the POST." })),
    display_name: Type.String(),
    description: Type.String(),
    owner: givenReference,
    resource: Type.Optional(givenReference),
    expires_at: Type.Optional(time),
  }),
});

export const serviceAccountCreate = closed({
  api_version: apiVersionOf("iam/v2"),
  kind: apiVersionOf("ServiceAccount"),
  display_name: displayName,
  description: Type.Optional(description),
});

export const serviceAccountUpdate = closed({
  api_version: apiVersionOf("iam/v2"),
  kind: apiVersionOf("ServiceAccount"),
  display_name: Type.Optional(displayName),
  description: Type.Optional(description),
});

export const serviceAccount = Type.Object({
  api_version: Type.Literal("iam/v2"),
  kind: Type.Literal("ServiceAccount"),
  id: serviceAccountId,
  metadata: objectMetadata,
  display_name: Type.String(),
  description: Type.String(),
});

export const environmentCreate = closed({
  api_version: apiVersionOf("org/v2"),
  kind: apiVersionOf("Environment"),
  display_name: displayName,
});

export const environmentUpdate = closed({
  api_version: apiVersionOf("org/v2"),
  kind: apiVersionOf("Environment"),
  display_name: Type.Optional(displayName),
});

export const environment = Type.Object({
  api_version: Type.Literal("org/v2"),
  kind: Type.Literal("Environment"),
  id: environmentId,
  metadata: objectMetadata,
  display_name: Type.String(),
});

export const organizationCreate = closed({ display_name: displayName });

export const organization = Type.Object({
  api_version: Type.Literal("org/v2"),
  kind: Type.Literal("Organization"),
  id: organizationId,
  metadata: objectMetadata,
  display_name: Type.String(),
});

export const auditEntry = Type.Object({
  id: Type.String(),
  at: time,
  organization: Type.String(),
  key: Type.String({ description: "The cloud key that asked." }),
  principal: Type.String({ description: "The service account that it acts for." }),
  method: Type.String(),
  path: Type.String(),
  object: Type.String({ description: "Id of what was made or changed, if anything." }),
  source_ip: Type.String(),
  request_id: Type.String(),
  outcome: Type.Unsafe<"started" | "done" | "refused" | "failed">({
    type: "string",
    enum: ["started", "done", "refused", "failed"],
    description: "`started`: it ended without telling how, and the reconciler settled what it began.",
  }),
  status: Type.Integer({ description: "HTTP status; 0 when it never ended." }),
});

export const cell = Type.Object({
  id: Type.String(),
  state: Type.Unsafe<"open" | "draining">({ type: "string", enum: ["open", "draining"] }),
  load: Type.Optional(
    Type.Object({
      at: time,
      mean_broker_load: Type.Number(),
      replica_utilization: Type.Number(),
      bandwidth_utilization: Type.Number(),
    }),
  ),
});

const listMetadata = Type.Object({
  first: Type.String(),
  next: Type.Optional(Type.String({ description: "The next page; left out on the last one." })),
  total_size: Type.Optional(Type.Integer({ description: "Of a list that fits into its first page; else left out." })),
});

export function listOf<S extends TSchema>(apiVersion: string, kind: string, element: S) {
  return Type.Object({
    api_version: Type.Literal(apiVersion),
    kind: Type.Literal(kind),
    metadata: listMetadata,
    data: Type.Array(element),
  });
}

export const paging = {
  page_size: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: pageSizeMax,
      default: pageSizeDefault,
      description: "Objects a page, at most.",
    }),
  ),
  page_token: Type.Optional(
    Type.String({
      maxLength: 512,
      pattern: "^[A-Za-z0-9_-]+$",
      description: "From `metadata.next` of the page before.",
    }),
  ),
};

export const failure = Type.Object({
  errors: Type.Array(
    Type.Object({
      id: Type.String({ description: "Of the request; also in the header `X-Request-Id` and in the log." }),
      status: Type.String(),
      code: Type.String(),
      title: Type.String(),
      detail: Type.String(),
      source: Type.Optional(
        Type.Object({
          pointer: Type.Optional(Type.String({ description: "JSON pointer to the field of the body." })),
          parameter: Type.Optional(Type.String({ description: "Of the path, the query or the headers." })),
        }),
      ),
    }),
  ),
});

export type ClusterView = Static<typeof cluster>;
export type ApiKeyView = Static<typeof apiKey>;
export type ServiceAccountView = Static<typeof serviceAccount>;
export type EnvironmentView = Static<typeof environment>;
export type OrganizationView = Static<typeof organization>;
export type AuditEntryView = Static<typeof auditEntry>;
export type CellView = Static<typeof cell>;
export type FailureView = Static<typeof failure>;
