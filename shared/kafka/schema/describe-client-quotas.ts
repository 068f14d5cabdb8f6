import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  float64,
  int8,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const component = struct({
  entityType: string("0+"),
  matchType: int8("0+"),
  match: string("0+", { nullable: "0+" }),
});

const entity = struct({
  entityType: string("0+"),
  entityName: string("0+", { nullable: "0+" }),
});

const value = struct({
  key: string("0+"),
  value: float64("0+"),
});

const entry = struct({
  entity: array(entity, "0+"),
  values: array(value, "0+"),
});

/** Client quotas that match a filter (KIP-546). */
export const describeClientQuotas = api({
  key: 48,
  name: "DescribeClientQuotas",
  versions: "0-1",
  flexibleVersions: "1+",
  request: struct({
    components: array(component, "0+"),
    strict: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    entries: array(entry, "0+", { nullable: "0+" }),
  }),
});

export type DescribeClientQuotasRequest = Decoded<typeof describeClientQuotas.request>;
export type DescribeClientQuotasResponse = Encodable<typeof describeClientQuotas.response>;
export type DescribeClientQuotasEntry = Encodable<typeof entry>;
