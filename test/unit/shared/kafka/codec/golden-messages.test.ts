/**
 * Goal: the bytes are Kafka's, not merely what our own encoder and decoder agree upon.
 * Method: messages written out by hand after the protocol guide, decoded and encoded.
 */
import { describe, expect, test } from "vitest";
import type { Api } from "../../../../../shared/kafka/codec/fields.ts";
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from "../../../../../shared/kafka/codec/message-codec.ts";
import { ZERO_UUID } from "../../../../../shared/kafka/codec/uuid.ts";
import { apiVersions } from "../../../../../shared/kafka/schema/api-versions.ts";
import { fetch } from "../../../../../shared/kafka/schema/fetch.ts";
import { listOffsets } from "../../../../../shared/kafka/schema/list-offsets.ts";
import { metadata } from "../../../../../shared/kafka/schema/metadata.ts";
import { produce } from "../../../../../shared/kafka/schema/produce.ts";
import { apiByKey } from "../../../../../shared/kafka/schema/registry.ts";
import { saslAuthenticate } from "../../../../../shared/kafka/schema/sasl-authenticate.ts";

interface Golden {
  readonly title: string;
  readonly api: Api;
  readonly version: number;
  /** Hex of the frame without its length; a part each line, with what it means beside it. */
  readonly parts: readonly (readonly [hex: string, meaning: string])[];
  readonly body: object;
}

const uuidHex = "000102030405060708090a0b0c0d0e0f";
const uuid = Buffer.from(uuidHex, "hex").toString("base64url");

const requests: readonly Golden[] = [
  {
    title: "Produce v7: lengths of two and four bytes",
    api: produce,
    version: 7,
    parts: [
      ["0000 0007 0000002a 0002 6d65", "key 0, version 7, correlation 42, client me"],
      ["ffff", "no transactional id"],
      ["ffff 000003e8", "acks -1, timeout 1000"],
      ["00000001 0003 6c6f67", "one topic, log"],
      ["00000002", "two partitions"],
      ["00000000 00000003 aabbcc", "partition 0, three bytes"],
      ["00000005 ffffffff", "partition 5, null"],
    ],
    body: {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: "log",
          topicId: ZERO_UUID,
          partitionData: [
            { index: 0, records: Buffer.from([0xaa, 0xbb, 0xcc]) },
            { index: 5, records: null },
          ],
        },
      ],
    },
  },
  {
    title: "Produce v9: compact lengths and tagged sections",
    api: produce,
    version: 9,
    parts: [
      ["0000 0009 0000002a 0002 6d65 00", "header with a client id of the old kind, and no tags"],
      ["03 7478", "transactional id tx"],
      ["0001 00000005", "acks 1, timeout 5"],
      ["02 04 6c6f67", "one topic, log"],
      ["02 00000000 04 aabbcc 00", "one partition: 0, three bytes, no tags"],
      ["00 00", "no tags of the topic, nor of the request"],
    ],
    body: {
      transactionalId: "tx",
      acks: 1,
      timeoutMs: 5,
      topicData: [
        {
          name: "log",
          topicId: ZERO_UUID,
          partitionData: [{ index: 0, records: Buffer.from([0xaa, 0xbb, 0xcc]) }],
        },
      ],
    },
  },
  {
    title: "Metadata v1: null is all topics",
    api: metadata,
    version: 1,
    parts: [
      ["0003 0001 00000001 ffff", "no client id"],
      ["ffffffff", "null topics"],
    ],
    body: {
      topics: null,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    },
  },
  {
    title: "Metadata v12: a topic by id",
    api: metadata,
    version: 12,
    parts: [
      ["0003 000c 00000001 0000 00", "an empty client id"],
      [`02 ${uuidHex} 00 00`, "one topic: id, null name, no tags"],
      ["00 01 00", "no creation, but authorized operations; no tags"],
    ],
    body: {
      topics: [{ topicId: uuid, name: null }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: true,
    },
  },
  {
    title: "Fetch v15: two tags of the request, in order",
    api: fetch,
    version: 15,
    parts: [
      ["0001 000f 00000001 ffff 00", "header"],
      ["000001f4 00000001 00100000 01", "wait 500 ms, 1 byte at least, 1 MiB at most, committed only"],
      ["00000000 ffffffff 01 01 01", "no session, no topics, none forgotten, no rack"],
      [
        "02 00 03 03 6b31 01 0d 00000003 0000000000000009 00",
        "tags: 0 cluster k1, 1 replica 3 of epoch 9 without tags",
      ],
    ],
    body: {
      clusterId: "k1",
      replicaId: -1,
      replicaState: { replicaId: 3, replicaEpoch: 9 },
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 0x10_0000,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [],
      forgottenTopicsData: [],
      rackId: "",
    },
  },
  {
    title: "ListOffsets v1: negative timestamps",
    api: listOffsets,
    version: 1,
    parts: [
      ["0002 0001 00000001 ffff", "header"],
      ["ffffffff 00000001 0001 74", "replica -1, one topic, t"],
      ["00000001 00000002 fffffffffffffffe", "partition 2 at -2, the earliest"],
    ],
    body: {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: "t", partitions: [{ partitionIndex: 2, currentLeaderEpoch: -1, timestamp: -2 }] }],
      timeoutMs: 0,
    },
  },
];

const responses: readonly Golden[] = [
  {
    title: "ApiVersions v0",
    api: apiVersions,
    version: 0,
    parts: [
      ["00000007 0023", "correlation 7, UNSUPPORTED_VERSION"],
      ["00000001 0012 0000 0004", "one API: ApiVersions 0 to 4"],
    ],
    body: {
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1,
      finalizedFeatures: [],
      zkMigrationReady: false,
    },
  },
  {
    title: "ApiVersions v3: a header without tags before a body with them",
    api: apiVersions,
    version: 3,
    parts: [
      ["00000007 0000", "correlation 7, no error, and no tags in between"],
      ["02 0000 0000 000d 00", "one API: Produce 0 to 13, no tags"],
      ["00000000", "no throttling"],
      ["02", "two tags"],
      ["01 08 0000000000000005", "1: features at epoch 5"],
      ["02 08 02 02 66 0002 0001 00", "2: one feature, f, at most 2, at least 1, without tags"],
    ],
    body: {
      errorCode: 0,
      apiKeys: [{ apiKey: 0, minVersion: 0, maxVersion: 13 }],
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: 5,
      finalizedFeatures: [{ name: "f", maxVersionLevel: 2, minVersionLevel: 1 }],
      zkMigrationReady: false,
    },
  },
  {
    title: "SaslAuthenticate v2",
    api: saslAuthenticate,
    version: 2,
    parts: [
      ["00000001 00", "correlation 1, no tags"],
      ["0000 00 03 6f6b 00000000000004b0 00", "no error, null message, ok, 1200 ms, no tags"],
    ],
    body: { errorCode: 0, errorMessage: null, authBytes: Buffer.from("ok"), sessionLifetimeMs: 1200 },
  },
  {
    title: "Fetch v12: a partition with a tag behind its records",
    api: fetch,
    version: 12,
    parts: [
      ["00000001 00 00000000 0000 00000000", "correlation 1, no tags, not throttled, no error, no session"],
      ["02 02 74 02", "one topic, t, with one partition"],
      ["00000003 0006", "partition 3, NOT_LEADER_OR_FOLLOWER"],
      ["ffffffffffffffff ffffffffffffffff ffffffffffffffff", "no high watermark, stable offset, start offset"],
      ["00 ffffffff 01", "null transactions, no other replica, empty records"],
      ["01 01 09 00000002 00000007 00", "one tag: 1, the leader is 2 at epoch 7, without tags"],
      ["00 00", "no tags of the topic, nor of the response"],
    ],
    body: {
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      responses: [
        {
          topic: "t",
          topicId: ZERO_UUID,
          partitions: [
            {
              partitionIndex: 3,
              errorCode: 6,
              highWatermark: -1,
              lastStableOffset: -1,
              logStartOffset: -1,
              divergingEpoch: { epoch: -1, endOffset: -1 },
              currentLeader: { leaderId: 2, leaderEpoch: 7 },
              snapshotId: { endOffset: -1, epoch: -1 },
              abortedTransactions: null,
              preferredReadReplica: -1,
              records: Buffer.alloc(0),
            },
          ],
        },
      ],
      nodeEndpoints: [],
    },
  },
];

function bytesOf(golden: Golden): Buffer {
  return Buffer.from(golden.parts.map(([hex]) => hex.replaceAll(" ", "")).join(""), "hex");
}

describe("requests", () => {
  test.each(requests)("$title is read", (golden) => {
    const frame = bytesOf(golden);

    const header = decodeRequestHeader(frame, apiByKey);

    expect(header).toMatchObject({ api: golden.api, apiVersion: golden.version, supported: true });
    expect(decodeRequest(golden.api, golden.version, { frame, offset: header.bodyOffset })).toEqual(golden.body);
  });

  test.each(requests)("$title is written", (golden) => {
    const { correlationId, clientId } = decodeRequestHeader(bytesOf(golden), apiByKey);

    const chunks = encodeRequest(golden.api, golden.version, { correlationId, clientId }, golden.body as never);

    expect(Buffer.concat(chunks).subarray(4).toString("hex")).toBe(bytesOf(golden).toString("hex"));
  });
});

describe("responses", () => {
  test.each(responses)("$title is read", (golden) => {
    const { body } = decodeResponse(golden.api, golden.version, bytesOf(golden));

    expect(body).toEqual(golden.body);
  });

  test.each(responses)("$title is written", (golden) => {
    const { correlationId } = decodeResponse(golden.api, golden.version, bytesOf(golden));

    const chunks = encodeResponse(golden.api, golden.version, correlationId, golden.body as never);

    expect(Buffer.concat(chunks).subarray(4).toString("hex")).toBe(bytesOf(golden).toString("hex"));
  });
});
