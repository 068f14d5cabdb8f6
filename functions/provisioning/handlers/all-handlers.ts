import type { Handler } from "../call.ts";
import type { Contract, RouteName } from "../contract/contract.ts";
import * as apiKeys from "./api-keys.ts";
import * as clusters from "./clusters.ts";
import * as environments from "./environments.ts";
import * as operation from "./operation.ts";
import * as organizations from "./organizations.ts";
import * as serviceAccounts from "./service-accounts.ts";

/** What answers each route of the contract. */
export const handlers: { readonly [Name in RouteName]: Handler<Contract[Name]> } = {
  listClusters: clusters.listClusters,
  createCluster: clusters.createCluster,
  getCluster: clusters.getCluster,
  updateCluster: clusters.updateCluster,
  deleteCluster: clusters.deleteCluster,
  restoreCluster: clusters.restoreCluster,
  listApiKeys: apiKeys.listApiKeys,
  createApiKey: apiKeys.createApiKey,
  getApiKey: apiKeys.getApiKey,
  updateApiKey: apiKeys.updateApiKey,
  deleteApiKey: apiKeys.deleteApiKey,
  listServiceAccounts: serviceAccounts.listServiceAccounts,
  createServiceAccount: serviceAccounts.createServiceAccount,
  getServiceAccount: serviceAccounts.getServiceAccount,
  updateServiceAccount: serviceAccounts.updateServiceAccount,
  deleteServiceAccount: serviceAccounts.deleteServiceAccount,
  listEnvironments: environments.listEnvironments,
  createEnvironment: environments.createEnvironment,
  getEnvironment: environments.getEnvironment,
  updateEnvironment: environments.updateEnvironment,
  deleteEnvironment: environments.deleteEnvironment,
  listOrganizations: organizations.listOrganizations,
  getOrganization: organizations.getOrganization,
  createOrganization: organizations.createOrganization,
  listAuditEntries: operation.listAuditEntries,
  listCells: operation.listCells,
};
