import type { HostedPartition } from "../../../../broker/partition/partition-contract.ts";

/** The partition with some of what it says replaced. */
export function lying(hosted: HostedPartition, lies: Partial<HostedPartition>): HostedPartition {
  return new Proxy(hosted, {
    get(target, name) {
      if (Object.hasOwn(lies, name)) return Reflect.get(lies, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
