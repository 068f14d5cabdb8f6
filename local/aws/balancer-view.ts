import { type EmulatorClient, xmlTexts } from "./emulator-client.ts";

/** What a network load balancer is told to do, as the emulator's control plane has it. */
export interface BalancerView {
  /** Where it listens. */
  readonly port: number;
  readonly proxyProtocol: boolean;
  readonly health: { readonly port: number; readonly path: string };
  readonly targets: readonly { readonly address: string; readonly port: number }[];
}

const version = "2015-12-01";

/** The balancer whose name begins with the given one; undefined while there is none. */
export async function readBalancer(client: EmulatorClient, namePrefix: string): Promise<BalancerView | undefined> {
  const ask = (fields: Readonly<Record<string, string>>) => client.query("elasticloadbalancing", version, fields);
  const balancers = await ask({ Action: "DescribeLoadBalancers" });
  const index = xmlTexts(balancers, "LoadBalancerName").findIndex((name) => name.startsWith(namePrefix));
  const balancer = xmlTexts(balancers, "LoadBalancerArn")[index];
  if (balancer === undefined) return undefined;
  const listeners = await ask({ Action: "DescribeListeners", LoadBalancerArn: balancer });
  const [port] = xmlTexts(listeners, "Port");
  const [group] = xmlTexts(listeners, "TargetGroupArn");
  if (port === undefined || group === undefined) return undefined;
  const groups = await ask({ Action: "DescribeTargetGroups", "TargetGroupArns.member.1": group });
  const attributes = await ask({ Action: "DescribeTargetGroupAttributes", TargetGroupArn: group });
  const health = await ask({ Action: "DescribeTargetHealth", TargetGroupArn: group });
  const proxied = xmlTexts(attributes, "Key").indexOf("proxy_protocol_v2.enabled");
  const ports = xmlTexts(health, "Port");
  return {
    port: Number(port),
    proxyProtocol: xmlTexts(attributes, "Value")[proxied] === "true",
    health: {
      port: Number(xmlTexts(groups, "HealthCheckPort")[0]),
      path: xmlTexts(groups, "HealthCheckPath")[0] ?? "/",
    },
    targets: xmlTexts(health, "Id").map((address, at) => ({ address, port: Number(ports[at]) })),
  };
}
