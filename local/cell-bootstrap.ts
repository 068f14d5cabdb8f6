import { existsSync, readFileSync } from "node:fs";
import { devLogicalCluster } from "../shared/tenancy/logical-cluster-id.ts";
import { configsForSize } from "./cell-configs.ts";
import { CellMetadata, type CellStores } from "./cell-metadata.ts";
import { type ClientCredentials, credentialsIn, javaClientProperties, librdkafkaProperties } from "./client-files.ts";
import type { StartOptions } from "./command-line/start-options.ts";
import { type CellFile, type DataLayout, writePrivateFile } from "./data-directory.ts";
import type { CertificateFiles } from "./tls/certificates.ts";

export interface BootstrapRequest {
  readonly stores: CellStores;
  readonly layout: DataLayout;
  readonly certificates: CertificateFiles;
  readonly start: StartOptions;
  readonly cell: CellFile;
  /** Addresses for clients over TLS. */
  readonly bootstrap: string;
}

/** Configs of a further cell of the fleet, which has no logical cluster to begin with. */
export async function prepareFurtherCell(stores: CellStores, brokers: number, start: StartOptions): Promise<void> {
  const metadata = await CellMetadata.open(stores, "local-supervisor");
  try {
    await metadata.setConfigs({ ...configsForSize(brokers), ...metadata.image.cellConfigs, ...start.cellConfigs });
  } finally {
    metadata.close();
  }
}

/**
 * What the first cell starts with: the ready logical cluster, its one API key, and the configs asked for. The key's secret is
 * kept in `client.properties` and nowhere else; when that file is gone, a new key is made.
 */
export async function prepareMetadata(
  request: BootstrapRequest,
): Promise<{ readonly lkc: string; readonly text: string; readonly chosenConfigs: Readonly<Record<string, string>> }> {
  const { layout, certificates } = request;
  const metadata = await CellMetadata.open(request.stores, "local-supervisor");
  try {
    const { cellConfigs } = metadata.image;
    const defaults: Readonly<Record<string, string>> = configsForSize(request.cell.brokers);
    // Defaults for a small cell give way to what was ever set.
    const configs = { ...defaults, ...cellConfigs, ...request.start.cellConfigs };
    await metadata.setConfigs(configs);
    await metadata.ensureCluster(devLogicalCluster, "dev");
    const credentials = await ensureKey(metadata, layout);
    const access = { bootstrap: request.bootstrap, authorityFile: certificates.authorityFile };
    const text = javaClientProperties(access, credentials);
    writePrivateFile(layout.clientProperties, text);
    writePrivateFile(layout.librdkafkaProperties, librdkafkaProperties(access, credentials));
    const chosenConfigs = Object.fromEntries(
      Object.entries(configs).filter(([name, value]) => defaults[name] !== value),
    );
    return { lkc: devLogicalCluster, text, chosenConfigs };
  } finally {
    metadata.close();
  }
}

async function ensureKey(metadata: CellMetadata, layout: DataLayout): Promise<ClientCredentials> {
  const file = layout.clientProperties;
  const kept = existsSync(file) ? credentialsIn(readFileSync(file, "utf8")) : undefined;
  if (kept !== undefined && metadata.image.apiKeys.get(kept.keyId)?.lkc === devLogicalCluster) return kept;
  const made = await metadata.createKey(devLogicalCluster);
  // Before the brokers serve: a key that nobody could know must not stay.
  writePrivateFile(file, javaClientProperties({ bootstrap: "", authorityFile: "" }, made));
  return made;
}
