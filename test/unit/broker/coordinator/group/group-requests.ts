/** Requests and configuration of groups for tests: whole ones, of which each test changes what it is about. */
import { groupConfigOf } from "../../../../../broker/coordinator/group/group-config.ts";
import type { GroupConfig, JoinInput, SyncInput } from "../../../../../broker/coordinator/group/group-contract.ts";
import { Writer } from "../../../../../shared/kafka/codec/writer.ts";
import { parseCellConfigs } from "../../../../../shared/metadata/configs/topic-configs.ts";

export const defaultConfig: GroupConfig = groupConfigOf(parseCellConfigs({}));

/** What a consumer of these topics says of itself; `owned` stands for what later versions append. */
export function subscription(topics: readonly string[], owned = ""): Buffer {
  const writer = new Writer({ message: "subscription", paths: [] });
  writer.int16(1);
  writer.arrayLength(topics);
  for (const topic of topics) writer.string(topic);
  writer.bytes(Buffer.from(owned));
  return Buffer.concat(writer.chunks());
}

/** A consumer of topic `t` with the assignor `range`, as version 9 of JoinGroup has it. */
export function joinInput(change: Partial<JoinInput> & Pick<JoinInput, "newMemberId">): JoinInput {
  return {
    memberId: "",
    groupInstanceId: null,
    clientId: "client",
    clientHost: "/10.0.0.1",
    sessionTimeoutMs: 45_000,
    rebalanceTimeoutMs: 300_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: subscription(["t"]) }],
    requireKnownMemberId: true,
    supportsSkippingAssignment: true,
    ...change,
  };
}

export function syncInput(change: Partial<SyncInput> & Pick<SyncInput, "memberId" | "generationId">): SyncInput {
  return { groupInstanceId: null, protocolType: "consumer", protocolName: null, assignments: [], ...change };
}
