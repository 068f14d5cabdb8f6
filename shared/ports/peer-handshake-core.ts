/**
 * How two brokers of a cell prove to each other that they know the cell's secret, as values: no socket, no clock.
 *
 *   initiator                                             acceptor
 *       │  hello: version, own id, wanted id, nonce I         │
 *       │────────────────────────────────────────────────────▶│ wanted id is not mine, or own id is mine ──▶ refused
 *       │  challenge: own id, nonce A, proof(acceptor)        │
 *       │◀────────────────────────────────────────────────────│
 *   wrong id or proof ──▶ refused                             │
 *       │  answer: proof(initiator)                           │
 *       │────────────────────────────────────────────────────▶│ wrong proof ──▶ refused
 *      open                                                  open
 *
 * proof(role) = HMAC-SHA256(secret, protocol name, role, initiator's id, acceptor's id, nonce I, nonce A).
 * The secret is one that both know: while one is exchanged for another, brokers know several.
 * Both nonces are fresh, so nothing can be replayed; the role is part of the proof and nobody talks to himself, so
 * nothing can be reflected. What follows the handshake is neither encrypted nor signed: the peer port belongs on
 * loopback or inside a private network.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export const handshakeNonceBytes = 32;
/** Guards against a secret file that was cut short. */
export const cellSecretBytesMin = 32;

const protocolName = "balafon-peer";
const protocolVersion = 1;
const proofBytes = 32;

const helloBytes = 1 + 4 + 4 + handshakeNonceBytes;
const challengeBytes = 4 + handshakeNonceBytes + proofBytes;
/** No frame of the handshake is longer, so an unauthenticated peer can make us hold no more. */
export const handshakeFrameBytesMax = challengeBytes;

type Role = "initiator" | "acceptor";

interface Parties {
  readonly initiatorId: number;
  readonly acceptorId: number;
  readonly initiatorNonce: Buffer;
  readonly acceptorNonce: Buffer;
}

export interface HandshakeIdentity {
  readonly ownId: number;
  /** The first one is proved when a peer connects here; whoever is connected to may prove any of them. */
  readonly secrets: readonly [Buffer, ...Buffer[]];
  /** `handshakeNonceBytes` unguessable bytes, used once. */
  readonly nonce: Buffer;
}

/** What to do after a frame: `reply` goes out first; `open` ends the handshake; `refused` ends the connection. */
export type HandshakeStep =
  | { readonly kind: "reply"; readonly reply: Buffer }
  | { readonly kind: "open"; readonly peerId: number; readonly reply: Buffer | undefined }
  | { readonly kind: "refused"; readonly reason: HandshakeRefusal };

/** Few and stable: also a metric's label. */
export type HandshakeRefusal = "malformed" | "wrong-version" | "wrong-broker" | "wrong-proof";

export interface Handshake {
  /** Takes the next whole frame. Must not be called again after `open` or `refused`. */
  onFrame(frame: Buffer): HandshakeStep;
}

const refused = (reason: HandshakeRefusal): HandshakeStep => ({ kind: "refused", reason });

/** The side that connects: `hello` is the first frame to send. */
export function initiateHandshake(own: HandshakeIdentity, wantedId: number): Handshake & { readonly hello: Buffer } {
  const hello = Buffer.alloc(helloBytes);
  hello.writeUInt8(protocolVersion, 0);
  hello.writeInt32BE(own.ownId, 1);
  hello.writeInt32BE(wantedId, 5);
  own.nonce.copy(hello, 9);
  return {
    hello,
    onFrame(frame) {
      if (frame.length !== challengeBytes) return refused("malformed");
      const acceptorId = frame.readInt32BE(0);
      if (acceptorId !== wantedId) return refused("wrong-broker");
      const parties = {
        initiatorId: own.ownId,
        acceptorId,
        initiatorNonce: own.nonce,
        acceptorNonce: frame.subarray(4, 4 + handshakeNonceBytes),
      };
      const proof = frame.subarray(4 + handshakeNonceBytes);
      const shared = own.secrets.find((secret) => timingSafeEqual(proof, proofOf("acceptor", secret, parties)));
      if (shared === undefined) return refused("wrong-proof");
      return { kind: "open", peerId: acceptorId, reply: proofOf("initiator", shared, parties) };
    },
  };
}

/** The side that listens. */
export function acceptHandshake(own: HandshakeIdentity): Handshake {
  let parties: Parties | undefined;
  // The initiator answers with the secret by which it was convinced.
  const [secret] = own.secrets;
  return {
    onFrame(frame) {
      if (parties !== undefined) return checkAnswer(frame, secret, parties);
      if (frame.length !== helloBytes) return refused("malformed");
      if (frame.readUInt8(0) !== protocolVersion) return refused("wrong-version");
      const initiatorId = frame.readInt32BE(1);
      if (frame.readInt32BE(5) !== own.ownId || initiatorId === own.ownId) return refused("wrong-broker");
      parties = {
        initiatorId,
        acceptorId: own.ownId,
        // A copy: the frame is a view of a buffer that is gone when the answer comes.
        initiatorNonce: Buffer.from(frame.subarray(9)),
        acceptorNonce: own.nonce,
      };
      const challenge = Buffer.alloc(challengeBytes);
      challenge.writeInt32BE(own.ownId, 0);
      own.nonce.copy(challenge, 4);
      proofOf("acceptor", secret, parties).copy(challenge, 4 + handshakeNonceBytes);
      return { kind: "reply", reply: challenge };
    },
  };
}

function checkAnswer(frame: Buffer, secret: Buffer, parties: Parties): HandshakeStep {
  if (frame.length !== proofBytes) return refused("malformed");
  if (!timingSafeEqual(frame, proofOf("initiator", secret, parties))) return refused("wrong-proof");
  return { kind: "open", peerId: parties.initiatorId, reply: undefined };
}

function proofOf(role: Role, secret: Buffer, parties: Parties): Buffer {
  const ids = Buffer.alloc(8);
  ids.writeInt32BE(parties.initiatorId, 0);
  ids.writeInt32BE(parties.acceptorId, 4);
  return createHmac("sha256", secret)
    .update(`${protocolName} ${protocolVersion} ${role}\0`)
    .update(ids)
    .update(parties.initiatorNonce)
    .update(parties.acceptorNonce)
    .digest();
}
