import type { BrokerConfig } from "../shared/broker-config/broker-config.ts";
import { devLogicalCluster } from "../shared/tenancy/logical-cluster-id.ts";
import { type CellStores, localCellNumber } from "./cell-metadata.ts";
import type { BrokerPorts } from "./ports.ts";
import type { CertificateFiles } from "./tls/certificates.ts";

const host = "127.0.0.1";
/** As in the cloud: a cell is spread over three. */
const zones = ["zone-a", "zone-b", "zone-c"] as const;

/** What the broker in this slot is started with. */
export function brokerConfigFor(broker: {
  readonly slot: number;
  readonly ports: BrokerPorts;
  readonly stores: CellStores;
  readonly dataDirectory: string;
  readonly certificates: CertificateFiles;
}): BrokerConfig {
  const { slot, ports, stores, dataDirectory, certificates } = broker;
  // The address, not `localhost`: clients that try IPv6 first would complain of it at every broker.
  const at = (port: number) => ({ host, port, advertisedHost: host, advertisedPort: port });
  return {
    ...stores,
    cellNumber: localCellNumber,
    brokerId: slot,
    zone: zones[(slot - 1) % zones.length] ?? zones[0],
    dataDirectory,
    peer: { host, port: ports.peer },
    admin: { host, port: ports.admin },
    listeners: [
      { name: "PLAINTEXT", protocol: "plaintext", ...at(ports.kafka), lkc: devLogicalCluster },
      {
        name: "SASL_SSL",
        protocol: "sasl_ssl",
        ...at(ports.tls),
        certificateFile: certificates.certificateFile,
        keyFile: certificates.keyFile,
      },
    ],
    recoverWithoutMajority: true,
  };
}
