import { describe, expect, test } from "vitest";
import { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import { replay } from "../../../../../shared/metadata/image/replay.ts";
import { decodeSnapshot, encodeSnapshot } from "../../../../../shared/metadata/image/snapshot.ts";
import { goldenRecords } from "../records/golden-records.ts";

describe("snapshots", () => {
  test("the bytes of the first version stay as they are", () => {
    const state = ImageState.empty("cell-1");
    const kept = goldenRecords.map(([record]) => record).filter(({ type }) => !/deleted|un|raised/.test(type));
    replay(state, 1, kept);
    const bytes = encodeSnapshot(state);
    expect(bytes.subarray(0, 4).toString()).toBe("BMS1");
    expect(bytes.subarray(4, 36).toString("hex")).toMatchInlineSnapshot(
      `"7516f5fdf59d6a0723a7a9d03772191d86b579668983044a45650b29b60ad667"`,
    );
    expect(bytes.subarray(36).toString()).toMatchInlineSnapshot(`
      "{"cell":"cell-1","seq":1,"featureLevel":1,"nextBrokerId":4,"retiredBrokerIds":[]}
      ["controller-elected",1,{"brokerId":3,"controllerEpoch":7}]
      ["broker-registered",1,{"brokerId":3,"storageId":"s","incarnationId":"i","zone":"a","peer":{"host":"10.0.0.3","port":7000},"listeners":{"plain":{"host":"localhost","port":9093},"tls":{"host":"b3","port":9092}},"featureLevelMax":1,"suspect":false}]
      ["logical-cluster-upserted",1,{"lkc":"lkc-7k2m9","name":"shop","createdMs":1790000000000}]
      ["api-key-upserted",1,{"keyId":"K","lkc":"lkc-7k2m9","principal":"User:a","verifier":"v","createdMs":1}]
      ["topic-upserted",1,{"topicId":"0123456789abcdef0123456789abcdef","lkc":"lkc-7k2m9","name":"orders","createdMs":1,"configs":{"a":"1","b":"2"}}]
      ["partitions-upserted",1,{"topicId":"0123456789abcdef0123456789abcdef","partitions":[[0,10,[1,2,3],[4],[5],[2],1,6,8,100]]}]
      ["cell-config-replaced",1,{"configs":{"b":"2"}}]
      ["producer-ids-allocated",1,{"brokerId":-1,"first":0,"count":2000}]"
    `);
    expect(decodeSnapshot(bytes)).toMatchObject({ kind: "decoded", state: { seq: 1, cell: "cell-1" } });
  });

  test("damage is seen", () => {
    const bytes = encodeSnapshot(ImageState.empty("cell-1"));
    for (let index = 0; index < bytes.length; index++) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(bytes.readUInt8(index) ^ 1, index);
      expect(decodeSnapshot(damaged).kind).not.toBe("decoded");
    }
    expect(decodeSnapshot(bytes.subarray(0, 20)).kind).toBe("corrupt");
    expect(decodeSnapshot(Buffer.alloc(0)).kind).toBe("unsupported");
  });
});
