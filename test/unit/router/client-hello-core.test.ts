import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientHelloReader, type HelloOutcome } from "../../../router/client-hello-core.ts";
import { clientHelloBytesMax } from "../../../router/limits.ts";
import { extension, handshake, helloMessage, records, serverName, vector } from "./hello-bytes.ts";

const name = "lkc-7k2m9.eu.balafon.example";
const named = helloMessage({ names: [{ name }] });

/** Feeds the pieces until the reader has decided. */
function read(...pieces: readonly Buffer[]): HelloOutcome {
  const reader = new ClientHelloReader();
  let outcome: HelloOutcome = { kind: "more" };
  for (const piece of pieces) {
    outcome = reader.push(piece);
    if (outcome.kind !== "more") return outcome;
  }
  return outcome;
}

/** Cuts bytes at the places given. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  const starts = [0, ...ends];
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

describe("the name", () => {
  test("is found in one piece, in lower case", () => {
    expect(read(records(helloMessage({ names: [{ name: name.toUpperCase() }] })))).toEqual({ kind: "name", name });
  });

  test("is found however packets and records are cut", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 40 });
    const places = fc.array(fc.nat(2_000), { maxLength: 40 });
    fc.assert(
      fc.property(lengths, places, (fragments, cuts) => {
        expect(read(...cut(records(named, fragments), cuts))).toEqual({ kind: "name", name });
      }),
    );
  });

  test("is found byte by byte, in records of one byte", () => {
    const bytes = records(
      named,
      Array.from({ length: named.length }, () => 1),
    );
    expect(read(...cut(bytes, [...bytes.keys()]))).toEqual({ kind: "name", name });
  });

  test("is not known before its hello is whole", () => {
    const bytes = records(named);
    for (const length of [0, 1, 4, 5, 8, 9, 40, bytes.length - 1]) {
      expect(read(bytes.subarray(0, length))).toEqual({ kind: "more" });
    }
  });

  test("is found among GREASE, unknown extensions and large key shares, and with what follows the hello", () => {
    const grease = { type: 0x3a3a, data: Buffer.alloc(1) };
    const keyShare = { type: 51, data: Buffer.alloc(1_600, 9) };
    const message = helloMessage({
      names: [{ name }],
      before: [grease, keyShare],
      after: [{ type: 0xfe0d, data: Buffer.alloc(200) }, grease],
      suites: Buffer.from("1a1a13011302", "hex"),
    });
    const early = Buffer.concat([records(message), Buffer.from([20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 9])]);
    expect(read(early)).toEqual({ kind: "name", name });
  });

  test("stands beside names of a kind that nobody knows yet", () => {
    const message = helloMessage({ names: [{ type: 7, name: "x" }, { name }] });
    expect(read(records(message))).toEqual({ kind: "name", name });
  });
});

describe("what is refused", () => {
  const cases: readonly (readonly [string, Buffer, string, string | undefined])[] = [
    ["a hello without a name", records(helloMessage()), "no-name", "missing_extension"],
    [
      "one with other extensions only",
      records(helloMessage({ after: [{ type: 10, data: Buffer.alloc(4) }] })),
      "no-name",
      "missing_extension",
    ],
    [
      "names of unknown kinds only",
      records(helloMessage({ names: [{ type: 9, name }] })),
      "no-name",
      "missing_extension",
    ],
    ["two names", records(helloMessage({ names: [{ name }, { name }] })), "malformed", "decode_error"],
    ["no name in the list", records(helloMessage({ names: [] })), "malformed", "decode_error"],
    ["an empty name", records(helloMessage({ names: [{ name: "" }] })), "malformed", "decode_error"],
    ["a name with a NUL", records(helloMessage({ names: [{ name: "a\0b" }] })), "malformed", "decode_error"],
    ["a name with a line break", records(helloMessage({ names: [{ name: "a\nb" }] })), "malformed", "decode_error"],
    ["a name beyond DNS", records(helloMessage({ names: [{ name: "a".repeat(256) }] })), "malformed", "decode_error"],
    [
      "the extension twice",
      records(helloMessage({ names: [{ name }], after: [{ type: 0, data: serverName([{ name }]).subarray(4) }] })),
      "malformed",
      "decode_error",
    ],
    [
      "a session id of 33 bytes",
      records(helloMessage({ names: [{ name }], sessionIdBytes: 33 })),
      "malformed",
      "decode_error",
    ],
    [
      "half a cipher suite",
      records(helloMessage({ names: [{ name }], suites: Buffer.alloc(3) })),
      "malformed",
      "decode_error",
    ],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0]), "malformed", "decode_error"],
    ["a record beyond TLS", Buffer.from([22, 3, 1, 0x40, 1]), "too-large", "decode_error"],
    ["a hello that says it is too large", records(Buffer.from([1, 0, 0xff, 0xff])), "too-large", "decode_error"],
    ["another message first", records(handshake(2, Buffer.alloc(40))), "not-a-hello", "unexpected_message"],
    ["an alert first", Buffer.from([21, 3, 1, 0, 2, 2, 0]), "not-a-hello", "unexpected_message"],
    [
      "data between two fragments",
      Buffer.concat([records(named).subarray(0, 5), named, records(named, [], 23)]),
      "name",
      undefined,
    ],
    ["SSL 2's hello", Buffer.from("802e0103010015", "hex"), "old-tls", "protocol_version"],
    ["a record of SSL 2", Buffer.from([22, 2, 0, 0, 40]), "old-tls", "protocol_version"],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n"), "not-tls", undefined],
    ["Kafka without TLS", Buffer.from("0000002600120003", "hex"), "not-tls", undefined],
    ["a PROXY header nobody asked for", Buffer.from("0d0a0d0a000d0a515549540a", "hex"), "not-tls", undefined],
  ];

  test.each(cases)("%s", (_what, bytes, reason, alert) => {
    const outcome = read(bytes);
    if (reason === "name") expect(outcome).toEqual({ kind: "name", name });
    else expect(outcome).toEqual({ kind: "refused", reason, alert });
    // Piece by piece nothing else comes of it.
    expect(read(...cut(bytes, [...bytes.keys()]))).toEqual(outcome);
  });

  test("a stranger can make it keep no more than the bound", () => {
    const endless = Buffer.concat(Array.from({ length: 3_000 }, () => Buffer.from([22, 3, 1, 0, 1, 1])));
    expect(endless.length).toBeGreaterThan(clientHelloBytesMax);
    expect(read(endless).kind).toBe("refused");
    const slow = records(
      handshake(1, Buffer.alloc(12_000)),
      Array.from({ length: 11_900 }, () => 1),
    );
    expect(
      read(
        ...cut(
          slow,
          [...slow.keys()].filter((at) => at % 1_000 === 0),
        ),
      ),
    ).toMatchObject({ reason: "too-large" });
  });
});

describe("hostile bytes", () => {
  test("any bytes end in an outcome", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (pieces) => {
        expect(["more", "name", "refused"]).toContain(read(...pieces.map((piece) => Buffer.from(piece))).kind);
      }),
    );
  });

  test("a hello with any bytes changed, or cut off anywhere, ends in an outcome", () => {
    const whole = records(named, [60, 3]);
    const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const { at, value } of changes) bytes[at] = value;
        const outcome = read(bytes.subarray(0, length));
        if (outcome.kind === "name") expect(outcome.name).toMatch(/^[a-z0-9_.-]{1,255}$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("lengths inside the name's extension that lie are found out", () => {
    const data = vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]));
    fc.assert(
      fc.property(fc.nat(data.length - 1), fc.nat(255), (at, value) => {
        const lying = Buffer.from(data);
        lying[at] = value;
        const body = helloMessage({ after: [{ type: 0, data: lying }] });
        expect(["name", "refused"]).toContain(read(records(body)).kind);
      }),
    );
    expect(extension(0, data).equals(serverName([{ name }]))).toBe(true);
  });
});
