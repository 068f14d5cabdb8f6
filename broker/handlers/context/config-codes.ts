import type { ConfigType } from "../../../shared/metadata/configs/config-definition.ts";
import type { ConfigSource } from "../../../shared/metadata/configs/effective-config.ts";

/** Numbers of Kafka's DescribeConfigs response. */
const sourceCodes: Readonly<Record<ConfigSource, number>> = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  DEFAULT_CONFIG: 5,
};

const typeCodes: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};

export function configSourceCode(source: ConfigSource): number {
  return sourceCodes[source];
}

export function configTypeCode(type: ConfigType): number {
  return typeCodes[type];
}
