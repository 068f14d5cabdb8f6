import type { BrokerConfig, ItemStoreConfig } from "../shared/broker-config/broker-config.ts";
import { devLogicalCluster } from "../shared/tenancy/logical-cluster-id.ts";
import type { CellStores } from "./cell-metadata.ts";
import type { BrokerPorts } from "./ports.ts";
import { brokerZone, localDomain, routedListener } from "./routed-names.ts";
import type { CertificateFiles } from "./tls/certificates.ts";

const host = "127.0.0.1";

/** What the broker in this slot is started with. */
export function brokerConfigFor(broker: {
  readonly slot: number;
  /** Of the fleet, from 0. */
  readonly cellIndex: number;
  readonly control: ItemStoreConfig;
  readonly ports: BrokerPorts;
  readonly stores: CellStores;
  readonly dataDirectory: string;
  readonly certificates: CertificateFiles;
  /** Where clients reach the router. */
  readonly routerPort: number;
}): BrokerConfig {
  const { slot, cellIndex, control, ports, stores, dataDirectory, certificates, routerPort } = broker;
  const { certificateFile, keyFile } = certificates;
  // The address, not `localhost`: clients that try IPv6 first would complain of it at every broker.
  const at = (port: number) => ({ host, port, advertisedHost: host, advertisedPort: port });
  return {
    ...stores,
    control,
    cellNumber: cellIndex + 1,
    brokerId: slot,
    zone: brokerZone(slot),
    dataDirectory,
    peer: { host, port: ports.peer },
    admin: { host, port: ports.admin },
    listeners: [
      // The ready logical cluster is in the first cell.
      ...(cellIndex === 0
        ? [{ name: "PLAINTEXT", protocol: "plaintext", ...at(ports.kafka), lkc: devLogicalCluster } as const]
        : []),
      { name: "SASL_SSL", protocol: "sasl_ssl", ...at(ports.tls), certificateFile, keyFile },
      {
        name: routedListener,
        protocol: "sasl_ssl",
        ...at(ports.routed),
        certificateFile,
        keyFile,
        routed: { domain: localDomain, port: routerPort },
        proxyProtocolFrom: [host],
      },
    ],
    recoverWithoutMajority: true,
  };
}
