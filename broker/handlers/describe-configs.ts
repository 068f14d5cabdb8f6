/**
 * DescribeConfigs, v1 to v4.
 *
 * Configurations of the tenant's topics, and those of the cell, which look like its brokers' (all brokers have the same;
 * the empty name means the cluster-wide defaults that were changed). v3 types and documentation (KIP-569). Loggers,
 * client metrics and groups have none here: INVALID_REQUEST. So is a resource that was named before in the request: it would
 * take memory again and again.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  configResourceTypes,
  type DescribeConfigsEntry,
  type DescribeConfigsRequest,
  type DescribeConfigsResource,
  type DescribeConfigsResult,
  describeConfigs,
} from "../../shared/kafka/schema/describe-configs.ts";
import { topicNameFault } from "../../shared/metadata/commands/topic-name.ts";
import {
  describeCellConfigs,
  describeTopicConfigs,
  type EffectiveConfig,
} from "../../shared/metadata/configs/effective-config.ts";
import { configSourceCode, configTypeCode } from "./context/config-codes.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const describeConfigsHandler: Handler<typeof describeConfigs> = {
  api: describeConfigs,
  minVersion: describeConfigs.versions.min,
  maxVersion: describeConfigs.versions.max,
  memoryEstimate: decodedBytes,
  handle(context, request) {
    const named = new Set<string>();
    return {
      results: request.resources.map((resource) => {
        const { resourceType, resourceName } = resource;
        const id = `${resourceType} ${resourceName}`;
        const isAgain = named.has(id);
        named.add(id);
        if (!isAgain) return describe(context, request, resource);
        const error = errorCode.INVALID_REQUEST;
        return { errorCode: error, errorMessage: "named twice", resourceType, resourceName, configs: [] };
      }),
    };
  },
};

function describe(
  context: RequestContext,
  request: DescribeConfigsRequest,
  resource: DescribeConfigsResource,
): DescribeConfigsResult {
  const { resourceType, resourceName, configurationKeys } = resource;
  const found = configsOf(context, resource);
  const refused = typeof found === "string";
  const keys = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys);
  const shown = refused ? [] : found.filter(({ name }) => keys === undefined || keys.has(name));
  return {
    errorCode: errorCode[refused ? found : "NONE"],
    errorMessage: null,
    resourceType,
    resourceName,
    configs: shown.map((config) => entryOf(config, request)),
  };
}

function configsOf(
  { services, session }: RequestContext,
  { resourceType, resourceName }: DescribeConfigsResource,
): readonly EffectiveConfig[] | ErrorName {
  const { cellConfigs, brokers } = services.image();
  switch (resourceType) {
    case configResourceTypes.topic: {
      const topic = session.tenant.topic(resourceName);
      if (topic !== undefined) return describeTopicConfigs(topic.configs, cellConfigs);
      return topicNameFault(resourceName) === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" : "INVALID_TOPIC_EXCEPTION";
    }
    case configResourceTypes.broker: {
      const configs = describeCellConfigs(cellConfigs);
      if (resourceName === "") return configs.filter(({ source }) => source === "DYNAMIC_DEFAULT_BROKER_CONFIG");
      const known = /^\d{1,10}$/.test(resourceName) && brokers.has(Number(resourceName));
      return known ? configs : "INVALID_REQUEST";
    }
    default:
      return "INVALID_REQUEST";
  }
}

function entryOf(config: EffectiveConfig, request: DescribeConfigsRequest): DescribeConfigsEntry {
  const { name, value, readOnly, source, synonyms, type, documentation } = config;
  return {
    name,
    value,
    readOnly,
    configSource: configSourceCode(source),
    isSensitive: false,
    synonyms: request.includeSynonyms
      ? synonyms.map((synonym) => ({ ...synonym, source: configSourceCode(synonym.source) }))
      : [],
    configType: configTypeCode(type),
    documentation: request.includeDocumentation ? documentation : null,
  };
}
