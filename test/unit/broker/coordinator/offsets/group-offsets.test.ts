import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesPerCharacter } from "../../../../../broker/coordinator/group/limits.ts";
import { offsetHeapBytes } from "../../../../../broker/coordinator/limits.ts";
import { GroupOffsets } from "../../../../../broker/coordinator/offsets/group-offsets.ts";

const change = fc.record({
  topicId: fc.constantFrom("t", "u"),
  partition: fc.nat(3),
  metadata: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
});

test("the bytes of offsets are those of all that are held, and what they grow by is told before", () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const offsets = new GroupOffsets();
      for (const { topicId, partition, metadata } of changes) {
        if (metadata === undefined) {
          offsets.delete(topicId, partition);
        } else {
          const value = { offset: 1, leaderEpoch: -1, commitMs: 0, expireMs: -1, metadata };
          const told = offsets.bytes + offsets.growth([{ topicId, partition, value }]);
          offsets.set(topicId, partition, value);
          expect(offsets.bytes).toBe(told);
        }
        const held = [...offsets.all()].map(({ value }) => offsetHeapBytes + value.metadata.length * bytesPerCharacter);
        expect(offsets.bytes).toBe(held.reduce((sum, bytes) => sum + bytes, 0));
      }
    }),
  );
});
