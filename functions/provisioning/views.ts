/** Stored objects as the API shows them. */
import type { ApiKeyItem } from "../../shared/control/items/api-key-item.ts";
import type { AuditItem } from "../../shared/control/items/audit-item.ts";
import type { ClusterItem } from "../../shared/control/items/cluster-item.ts";
import type { EnvironmentItem } from "../../shared/control/items/environment-item.ts";
import type { OrganizationItem } from "../../shared/control/items/organization-item.ts";
import type { ServiceAccountItem } from "../../shared/control/items/service-account-item.ts";
import type {
  ApiKeyView,
  AuditEntryView,
  ClusterView,
  EnvironmentView,
  OrganizationView,
  ServiceAccountView,
} from "./contract/schemas.ts";
import { bootstrapEndpoint, type Fleet } from "./fleet.ts";

const crn = "crn://balafon";

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function metadataOf(
  self: string,
  resourceName: string,
  times: { readonly createdMs: number; readonly updatedMs: number; readonly closedMs?: number },
) {
  return {
    self,
    resource_name: resourceName,
    created_at: timeOf(times.createdMs),
    updated_at: timeOf(times.updatedMs),
    ...(times.closedMs === undefined ? {} : { deleted_at: timeOf(times.closedMs) }),
  };
}

const environmentName = (organization: string, id: string) => `${crn}/organization=${organization}/environment=${id}`;
const accountName = (organization: string, id: string) => `${crn}/organization=${organization}/service-account=${id}`;

export function clusterView(item: ClusterItem, fleet: Fleet, baseUrl: string): ClusterView {
  const environment = environmentName(item.organization, item.environment);
  const self = `${baseUrl}/cmk/v2/clusters/${item.id}?environment=${item.environment}`;
  return {
    api_version: "cmk/v2",
    kind: "Cluster",
    id: item.id,
    metadata: metadataOf(self, `${environment}/cloud-cluster=${item.id}`, item),
    spec: {
      display_name: item.displayName,
      availability: item.availability,
      cloud: item.cloud,
      region: item.region,
      config: { kind: item.config },
      kafka_bootstrap_endpoint: bootstrapEndpoint(fleet, item.cell, item.id),
      deletion_protection: item.deletionProtection,
      environment: {
        id: item.environment,
        related: `${baseUrl}/org/v2/environments/${item.environment}`,
        resource_name: environment,
      },
    },
    status: { phase: item.made ? "PROVISIONED" : "PROVISIONING" },
  };
}

/** `environment`: of the key's cluster; `secret`: only in the first answer. */
export function apiKeyView(item: ApiKeyItem, baseUrl: string, secret?: string): ApiKeyView {
  const { organization, owner, cluster } = item;
  return {
    api_version: "iam/v2",
    kind: "ApiKey",
    id: item.id,
    metadata: metadataOf(
      `${baseUrl}/iam/v2/api-keys/${item.id}`,
      `${crn}/organization=${organization}/api-key=${item.id}`,
      item,
    ),
    spec: {
      ...(secret === undefined ? {} : { secret }),
      display_name: item.displayName,
      description: item.description,
      owner: {
        id: owner,
        related: `${baseUrl}/iam/v2/service-accounts/${owner}`,
        resource_name: accountName(organization, owner),
      },
      ...(cluster === undefined
        ? {}
        : {
            resource: {
              id: cluster,
              related: `${baseUrl}/cmk/v2/clusters/${cluster}`,
              resource_name: `${crn}/organization=${organization}/cloud-cluster=${cluster}`,
            },
          }),
      ...(item.expiresMs === undefined ? {} : { expires_at: timeOf(item.expiresMs) }),
    },
  };
}

export function serviceAccountView(item: ServiceAccountItem, baseUrl: string): ServiceAccountView {
  const self = `${baseUrl}/iam/v2/service-accounts/${item.id}`;
  return {
    api_version: "iam/v2",
    kind: "ServiceAccount",
    id: item.id,
    metadata: metadataOf(self, accountName(item.organization, item.id), item),
    display_name: item.displayName,
    description: item.description,
  };
}

export function environmentView(item: EnvironmentItem, baseUrl: string): EnvironmentView {
  const self = `${baseUrl}/org/v2/environments/${item.id}`;
  return {
    api_version: "org/v2",
    kind: "Environment",
    id: item.id,
    metadata: metadataOf(self, environmentName(item.organization, item.id), item),
    display_name: item.displayName,
  };
}

export function organizationView(item: OrganizationItem, baseUrl: string): OrganizationView {
  return {
    api_version: "org/v2",
    kind: "Organization",
    id: item.id,
    metadata: metadataOf(`${baseUrl}/org/v2/organizations/${item.id}`, `${crn}/organization=${item.id}`, {
      createdMs: item.createdMs,
      updatedMs: item.createdMs,
    }),
    display_name: item.displayName,
  };
}

export function auditEntryView(item: AuditItem): AuditEntryView {
  return {
    id: item.id,
    at: timeOf(item.atMs),
    organization: item.organization,
    key: item.keyId,
    principal: item.principal,
    method: item.method,
    path: item.path,
    object: item.objectId,
    source_ip: item.sourceIp,
    request_id: item.requestId,
    outcome: item.outcome,
    status: item.status,
  };
}
