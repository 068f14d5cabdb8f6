/**
 * Goal: real clients' own encoders and decoders agree with ours, in both encodings.
 * Method: kafkajs (lengths of two and four bytes) and @platformatic/kafka (compact lengths, tags) write requests that
 * we read, and read responses that we write. No connection is made.
 */
import { createRequire } from "node:module";
import { fetchV17, metadataV12, Reader } from "@platformatic/kafka";
import { describe, expect, test } from "vitest";
import type { Api } from "../../../../../shared/kafka/codec/fields.ts";
import { decodeRequest, decodeRequestHeader, encodeResponse } from "../../../../../shared/kafka/codec/message-codec.ts";
import { apiVersions } from "../../../../../shared/kafka/schema/api-versions.ts";
import { fetch } from "../../../../../shared/kafka/schema/fetch.ts";
import { metadata } from "../../../../../shared/kafka/schema/metadata.ts";
import { apiByKey } from "../../../../../shared/kafka/schema/registry.ts";

interface KafkajsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly encode: () => Promise<{ readonly buffer: Buffer }>;
}

interface KafkajsEncoder {
  readonly buffer: Buffer;
}

const load = createRequire(import.meta.url);
const writeKafkajs = load("kafkajs/src/protocol/request.js") as (message: {
  correlationId: number;
  clientId: string;
  request: KafkajsRequest;
}) => Promise<KafkajsEncoder>;

/** The frame that kafkajs sends for a request, read by us. */
async function readFromKafkajs(path: string, values: object): Promise<{ api: Api; body: unknown }> {
  const create = load(`kafkajs/src/protocol/requests/${path}/request.js`) as (values: object) => KafkajsRequest;
  const written = await writeKafkajs({ correlationId: 5, clientId: "kafkajs", request: create(values) });
  const frame = written.buffer.subarray(4);
  const header = decodeRequestHeader(frame, apiByKey);
  if (header.api === undefined) throw new Error("unknown API");
  expect(header).toMatchObject({ clientId: "kafkajs", correlationId: 5, supported: true });
  return {
    api: header.api,
    body: decodeRequest(header.api, header.apiVersion, { frame, offset: header.bodyOffset }),
  };
}

describe("kafkajs requests", () => {
  test("Produce v7", async () => {
    const { body } = await readFromKafkajs("produce/v7", {
      acks: -1,
      timeout: 30_000,
      topicData: [{ topic: "log", partitions: [{ partition: 2, messages: [{ key: "k", value: "v" }] }] }],
    });

    expect(body).toMatchObject({
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: "log", partitionData: [{ index: 2, records: expect.any(Buffer) }] }],
    });
  });

  test("Fetch v11", async () => {
    const partition = { partition: 1, currentLeaderEpoch: 3, fetchOffset: "77", logStartOffset: -1, maxBytes: 1_024 };

    const { body } = await readFromKafkajs("fetch/v11", {
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      rackId: "a",
      topics: [{ topic: "log", partitions: [partition] }],
    });

    expect(body).toMatchObject({
      maxWaitMs: 500,
      maxBytes: 1_048_576,
      isolationLevel: 1,
      rackId: "a",
      topics: [
        {
          topic: "log",
          partitions: [{ partition: 1, currentLeaderEpoch: 3, fetchOffset: 77, partitionMaxBytes: 1_024 }],
        },
      ],
    });
  });

  test("OffsetCommit v5, JoinGroup v5, CreateTopics v3", async () => {
    const commit = await readFromKafkajs("offsetCommit/v5", {
      groupId: "g",
      groupGenerationId: 4,
      memberId: "m",
      topics: [{ topic: "t", partitions: [{ partition: 0, offset: "12" }] }],
    });
    const join = await readFromKafkajs("joinGroup/v5", {
      groupId: "g",
      sessionTimeout: 1,
      rebalanceTimeout: 2,
      memberId: "",
      protocolType: "consumer",
      groupProtocols: [{ name: "range", metadata: Buffer.from("m") }],
    });
    const create = await readFromKafkajs("createTopics/v3", {
      topics: [{ topic: "t", numPartitions: 3, replicationFactor: 2, configEntries: [{ name: "a", value: "b" }] }],
    });

    expect(commit.body).toMatchObject({
      groupId: "g",
      generationIdOrMemberEpoch: 4,
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 12, committedMetadata: null }] }],
    });
    expect(join.body).toMatchObject({
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: 2,
      groupInstanceId: null,
      protocols: [{ name: "range", metadata: Buffer.from("m") }],
    });
    expect(create.body).toMatchObject({
      topics: [{ name: "t", numPartitions: 3, replicationFactor: 2, configs: [{ name: "a", value: "b" }] }],
      timeoutMs: 5_000,
      validateOnly: false,
    });
  });
});

const broker = { nodeId: 1, host: "b1.example", port: 9_092, rack: "zone-a" };
const topicId = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex").toString("base64url");
const metadataBody = {
  brokers: [broker],
  clusterId: "lkc-1",
  controllerId: 1,
  topics: [
    {
      errorCode: 0,
      name: "log",
      topicId,
      partitions: [
        { errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 4, replicaNodes: [1, 2], isrNodes: [1] },
      ],
    },
  ],
};

describe("kafkajs responses", () => {
  async function readByKafkajs(path: string, frame: Buffer): Promise<unknown> {
    const { decode } = load(`kafkajs/src/protocol/requests/${path}/response.js`) as {
      decode: (payload: Buffer) => Promise<unknown>;
    };
    // kafkajs takes length and correlation id off before it decodes.
    return decode(frame.subarray(8));
  }

  test("Metadata v6", async () => {
    const frame = Buffer.concat(encodeResponse(metadata, 6, 1, metadataBody));

    expect(await readByKafkajs("metadata/v6", frame)).toMatchObject({
      brokers: [{ nodeId: 1, host: "b1.example", port: 9_092, rack: "zone-a" }],
      clusterId: "lkc-1",
      topicMetadata: [{ topic: "log", partitionMetadata: [{ partitionId: 0, leader: 1, replicas: [1, 2], isr: [1] }] }],
    });
  });

  test("ApiVersions v2", async () => {
    const body = { errorCode: 0, apiKeys: [{ apiKey: 0, minVersion: 0, maxVersion: 13 }] };

    const frame = Buffer.concat(encodeResponse(apiVersions, 2, 1, body));

    expect(await readByKafkajs("apiVersions/v2", frame)).toMatchObject({
      apiVersions: [{ apiKey: 0, minVersion: 0, maxVersion: 13 }],
    });
  });
});

describe("@platformatic/kafka", () => {
  const position = {
    partition: 3,
    currentLeaderEpoch: 5,
    fetchOffset: 9n,
    lastFetchedEpoch: -1,
    partitionMaxBytes: 1_000,
  };
  const uuidText = "00010203-0405-0607-0809-0a0b0c0d0e0f";

  test("Metadata v12 both ways", () => {
    const request = metadataV12.createRequest(["log"], false, true).buffer;
    const frame = Buffer.concat(encodeResponse(metadata, 12, 1, metadataBody));

    expect(decodeRequest(metadata, 12, { frame: request, offset: 0 })).toMatchObject({
      topics: [{ name: "log" }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    });
    // Length, correlation id and the header's tags come off first.
    expect(metadataV12.parseResponse(1, 3, 12, Reader.from(frame.subarray(9)))).toMatchObject({
      brokers: [broker],
      clusterId: "lkc-1",
      topics: [{ name: "log", topicId: uuidText, partitions: [{ leaderId: 1, leaderEpoch: 4, replicaNodes: [1, 2] }] }],
    });
  });

  test("Fetch v17 both ways, with the tags that name a new leader", () => {
    const topics = [{ topicId: uuidText, partitions: [position] }];
    const request = fetchV17.createRequest(500, 1, 1_000_000, 0, 0, 0, topics, [], "").buffer;
    const partition = {
      partitionIndex: 3,
      errorCode: 0,
      highWatermark: 9,
      abortedTransactions: null,
      records: null,
      currentLeader: { leaderId: 1, leaderEpoch: 6 },
    };
    const response = { responses: [{ topicId, partitions: [partition] }], nodeEndpoints: [broker] };
    const frame = Buffer.concat(encodeResponse(fetch, 17, 1, response));

    expect(decodeRequest(fetch, 17, { frame: request, offset: 0 })).toMatchObject({
      maxWaitMs: 500,
      topics: [{ topicId, partitions: [{ partition: 3, fetchOffset: 9, replicaDirectoryId: "A".repeat(22) }] }],
    });
    expect(fetchV17.parseResponse(1, 1, 17, Reader.from(frame.subarray(9)))).toMatchObject({
      responses: [
        { topicId: uuidText, partitions: [{ highWatermark: 9n, currentLeader: { leaderId: 1, leaderEpoch: 6 } }] },
      ],
      nodeEndpoints: [broker],
    });
  });
});
