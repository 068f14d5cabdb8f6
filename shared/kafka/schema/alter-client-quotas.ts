import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  float64,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const entity = struct({
  entityType: string("0+"),
  entityName: string("0+", { nullable: "0+" }),
});

const op = struct({
  key: string("0+"),
  value: float64("0+"),
  remove: bool("0+"),
});

const requestEntry = struct({
  entity: array(entity, "0+"),
  ops: array(op, "0+"),
});

const responseEntry = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  entity: array(entity, "0+"),
});

/** Sets and removes client quotas (KIP-546). A null entity name means the default of its type. */
export const alterClientQuotas = api({
  key: 49,
  name: "AlterClientQuotas",
  versions: "0-1",
  flexibleVersions: "1+",
  request: struct({
    entries: array(requestEntry, "0+"),
    validateOnly: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    entries: array(responseEntry, "0+"),
  }),
});

export type AlterClientQuotasRequest = Decoded<typeof alterClientQuotas.request>;
export type AlterClientQuotasResponse = Encodable<typeof alterClientQuotas.response>;
