import { describe, expect, test } from "vitest";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "../../../../broker/log/producer-snapshot.ts";
import { type ProducerBatch, ProducerStates } from "../../../../broker/log/producer-states.ts";

const sequenceMax = 2_147_483_647;

function batch(baseSequence: number, wish: Partial<ProducerBatch> & { count?: number } = {}): ProducerBatch {
  const { count = 1, ...rest } = wish;
  return {
    producerId: 7,
    producerEpoch: 0,
    baseSequence,
    lastOffsetDelta: count - 1,
    baseOffset: 1_000,
    maxTimestamp: 5,
    isTransactional: false,
    isControl: false,
    ...rest,
  };
}

/** After batches of ten: sequences 0 to 9, 10 to 19, …, at offsets 100, 110, …. */
function after(batches: number, wish: Partial<ProducerBatch> = {}): ProducerStates {
  const states = new ProducerStates();
  for (let index = 0; index < batches; index += 1) {
    states.update(batch(index * 10, { count: 10, baseOffset: 100 + index * 10, ...wish }), 1);
  }
  return states;
}

describe("check", () => {
  test.each<[string, ProducerStates, ProducerBatch, string]>([
    ["not idempotent", after(1), batch(-1, { producerId: -1 }), "new"],
    ["unknown producer, sequence 0", new ProducerStates(), batch(0), "new"],
    ["unknown producer, any sequence", new ProducerStates(), batch(41), "new"],
    ["the next sequence", after(2), batch(20), "new"],
    ["a gap", after(2), batch(21), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["an old sequence, other batch bounds", after(2), batch(10, { count: 5 }), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["the last batch again", after(2), batch(10, { count: 10 }), "duplicate 110 120"],
    ["the fifth last batch again", after(9), batch(40, { count: 10 }), "duplicate 140 150"],
    ["the sixth last batch again", after(9), batch(30, { count: 10 }), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["an older epoch", after(2, { producerEpoch: 3 }), batch(20, { producerEpoch: 2 }), "INVALID_PRODUCER_EPOCH"],
    [
      "an older epoch, a batch that is there",
      after(2, { producerEpoch: 3 }),
      batch(10, { count: 10, producerEpoch: 2 }),
      "INVALID_PRODUCER_EPOCH",
    ],
    ["a newer epoch from 0", after(2), batch(0, { producerEpoch: 1 }), "new"],
    ["a newer epoch not from 0", after(2), batch(20, { producerEpoch: 1 }), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
  ])("%s", (_, states, asked, expected) => {
    const size = states.size;
    const answer = states.check(asked);
    const told =
      answer.kind === "duplicate"
        ? `duplicate ${answer.baseOffset} ${answer.endOffset}`
        : answer.kind === "refused"
          ? answer.error
          : answer.kind;
    expect(told).toBe(expected);
    expect(states.size).toBe(size);
  });

  test("sequences wrap from 2^31 - 1 to 0, inside a batch and between two", () => {
    const states = new ProducerStates();
    states.update(batch(sequenceMax - 4, { count: 5 }), 1);
    expect(states.check(batch(0)).kind).toBe("new");
    expect(states.check(batch(1)).kind).toBe("refused");
    const inside = new ProducerStates();
    inside.update(batch(sequenceMax - 1, { count: 5, baseOffset: 40 }), 1);
    expect(inside.check(batch(3)).kind).toBe("new");
    expect(inside.check(batch(sequenceMax - 1, { count: 5 }))).toMatchObject({ kind: "duplicate", baseOffset: 40 });
  });

  test("after a transaction marker of a new epoch the sequence begins at 0", () => {
    const states = after(2);
    states.update(batch(-1, { producerEpoch: 1, isControl: true }), 1);
    expect(states.check(batch(20, { producerEpoch: 1 })).kind).toBe("refused");
    expect(states.check(batch(0, { producerEpoch: 1 })).kind).toBe("new");
  });

  test("a marker of the same epoch keeps the sequence and ends the transaction", () => {
    const states = after(2, { isTransactional: true });
    expect(states.find(7)?.transactionStart).toBe(100);
    states.update(batch(-1, { isControl: true }), 1);
    expect(states.find(7)?.transactionStart).toBe(-1);
    expect(states.check(batch(20)).kind).toBe("new");
  });
});

describe("bounds", () => {
  test("a producer expires when it was not seen for the expiration time, unless its transaction is open", () => {
    const states = new ProducerStates({ expirationMs: 100, producersMax: 10 });
    states.update(batch(0, { producerId: 1 }), 0);
    states.update(batch(0, { producerId: 2 }), 50);
    states.update(batch(0, { producerId: 3, isTransactional: true }), 0);
    expect(states.expire(99)).toBe(0);
    expect(states.expire(100)).toBe(1);
    expect([...states.all()].map((state) => state.producerId)).toEqual([2, 3]);
  });

  test("at the limit those not seen for longest go, a tenth at a time", () => {
    const states = new ProducerStates({ expirationMs: 1_000, producersMax: 20 });
    for (let id = 0; id < 20; id += 1) states.update(batch(0, { producerId: id }), id === 0 ? 99 : id);
    states.update(batch(0, { producerId: 20 }), 100);
    expect(states.size).toBe(19);
    expect(
      [states.find(0), states.find(1), states.find(2), states.find(3)].map((state) => state !== undefined),
    ).toEqual([true, false, false, true]);
  });
});

describe("snapshot", () => {
  test("golden bytes", () => {
    const states = after(1, { producerId: 258, producerEpoch: 3, maxTimestamp: 77, isTransactional: true });
    states.update(batch(0, { producerId: 9 }), 2);
    expect(encodeProducerSnapshot(110, states).toString("hex")).toBe(
      [
        "424c4650 0001 0000 000000000000006e 00000002",
        "0000000000000102 0003 0000000000000064 0000000000000001 01",
        "00000000 00000009 0000000000000064 000000000000006e 000000000000004d",
        "0000000000000009 0000 ffffffffffffffff 0000000000000002 01",
        "00000000 00000000 00000000000003e8 00000000000003e9 0000000000000005",
        "d6468208",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("what is decoded is what was encoded", () => {
    const states = after(9);
    states.update(batch(5, { producerId: 2 ** 50, producerEpoch: 32_767 }), 1_700_000_000_123);
    const decoded = decodeProducerSnapshot(encodeProducerSnapshot(190, states));
    expect(decoded?.offset).toBe(190);
    expect([...(decoded?.producers.all() ?? [])]).toEqual([...states.all()]);
  });

  test("no damaged or torn bytes are taken", () => {
    const bytes = encodeProducerSnapshot(190, after(3));
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(decodeProducerSnapshot(damaged)).toBeUndefined();
      expect(decodeProducerSnapshot(bytes.subarray(0, at))).toBeUndefined();
    }
  });
});
