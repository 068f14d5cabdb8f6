import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  acceptHandshake,
  handshakeFrameBytesMax,
  initiateHandshake,
} from "../../../../shared/ports/peer-handshake-core.ts";

const secret = randomBytes(32);
const identity = (ownId: number, ...secrets: Buffer[]) => {
  const [first = secret, ...others] = secrets;
  return { ownId, secrets: [first, ...others] as const, nonce: randomBytes(32) };
};

/** Runs both sides against each other; returns how each ended. */
function run(initiator: ReturnType<typeof initiateHandshake>, acceptor: ReturnType<typeof acceptHandshake>) {
  const challenge = acceptor.onFrame(initiator.hello);
  if (challenge.kind !== "reply") return { acceptor: challenge };
  const answer = initiator.onFrame(challenge.reply);
  if (answer.kind !== "open" || answer.reply === undefined) return { initiator: answer };
  return { initiator: answer, acceptor: acceptor.onFrame(answer.reply), answer: answer.reply };
}

test("two that know the secret learn each other's id", () => {
  const { initiator, acceptor } = run(initiateHandshake(identity(1), 2), acceptHandshake(identity(2)));
  expect(initiator).toMatchObject({ kind: "open", peerId: 2 });
  expect(acceptor).toMatchObject({ kind: "open", peerId: 1 });
});

test("each step of exchanging the secret leaves every pair of brokers able to talk, in both directions", () => {
  const [before, after] = [randomBytes(32), randomBytes(32)];
  const steps = [[before], [before, after], [after, before], [after]];
  for (const [index, step] of steps.entries()) {
    for (const other of steps.slice(Math.max(0, index - 1), index + 2)) {
      const ends = run(initiateHandshake(identity(1, ...step), 2), acceptHandshake(identity(2, ...other)));
      expect(ends.initiator?.kind).toBe("open");
      expect(ends.acceptor?.kind).toBe("open");
    }
  }
  const strangers = run(initiateHandshake(identity(1, before), 2), acceptHandshake(identity(2, after)));
  expect(strangers).toEqual({ initiator: { kind: "refused", reason: "wrong-proof" } });
});

test("an acceptor without the secret is refused by the initiator, before the initiator proves anything", () => {
  const stranger = acceptHandshake(identity(2, randomBytes(32)));
  expect(run(initiateHandshake(identity(1), 2), stranger)).toEqual({
    initiator: { kind: "refused", reason: "wrong-proof" },
  });
});

test("an initiator without the secret is refused", () => {
  const acceptor = acceptHandshake(identity(2));
  acceptor.onFrame(initiateHandshake(identity(1), 2).hello);
  expect(acceptor.onFrame(randomBytes(32))).toEqual({ kind: "refused", reason: "wrong-proof" });
});

test("the wrong broker and oneself are refused", () => {
  expect(acceptHandshake(identity(2)).onFrame(initiateHandshake(identity(1), 3).hello)).toEqual({
    kind: "refused",
    reason: "wrong-broker",
  });
  expect(acceptHandshake(identity(2)).onFrame(initiateHandshake(identity(2), 2).hello)).toEqual({
    kind: "refused",
    reason: "wrong-broker",
  });
});

test("a recorded conversation is worth nothing against a fresh nonce", () => {
  const initiator = initiateHandshake(identity(1), 2);
  const { answer = Buffer.alloc(0) } = run(initiator, acceptHandshake(identity(2)));
  const later = acceptHandshake(identity(2));
  later.onFrame(initiator.hello);
  expect(later.onFrame(answer)).toEqual({ kind: "refused", reason: "wrong-proof" });
});

test("the acceptor's own proof, sent back to it, is refused", () => {
  const acceptor = acceptHandshake(identity(2));
  const challenge = acceptor.onFrame(initiateHandshake(identity(1), 2).hello);
  const reply = challenge.kind === "reply" ? challenge.reply : Buffer.alloc(0);
  expect(acceptor.onFrame(reply.subarray(-32))).toEqual({ kind: "refused", reason: "wrong-proof" });
});

test("any length and any bytes end in a refusal, never in a throw", () => {
  for (let length = 0; length <= handshakeFrameBytesMax + 1; length++) {
    expect(acceptHandshake(identity(2)).onFrame(randomBytes(length)).kind).toBe("refused");
    expect(initiateHandshake(identity(1), 2).onFrame(randomBytes(length)).kind).toBe("refused");
    const acceptor = acceptHandshake(identity(2));
    acceptor.onFrame(initiateHandshake(identity(1), 2).hello);
    expect(acceptor.onFrame(randomBytes(length)).kind).toBe("refused");
  }
});
