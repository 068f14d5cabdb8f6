import type { FrameAssembler } from "../../shared/kafka/frame.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { MemoryAccount, WithdrawWish } from "../admission/memory-budget.ts";

/** A whole frame and the account that counts its bytes. */
export interface CountedFrame {
  readonly frame: Buffer;
  readonly account: MemoryAccount;
}

/** Why a connection is not read. */
export type Hold = "memory" | "in-flight" | "unsent" | "ending";

export interface IntakeSocket {
  pause(): unknown;
  resume(): unknown;
}

/**
 * Decides whether a connection is read, and counts the memory of what it brings. A frame's bytes are asked for as soon
 * as its length is known; until they are granted the socket is not read, and the sender waits in TCP.
 */
export class FrameIntake {
  readonly #assembler: FrameAssembler;
  readonly #clock: Clock;
  readonly #holds = new Set<Hold>();
  #socket: IntakeSocket | undefined;
  #account: MemoryAccount;
  /** Bytes counted for the frame under way, and where. */
  #reserved: { readonly bytes: number; readonly account: MemoryAccount; readonly sinceMs: number } | undefined;
  #withdraw: WithdrawWish | undefined;
  #closed = false;

  constructor(assembler: FrameAssembler, account: MemoryAccount, clock: Clock) {
    this.#assembler = assembler;
    this.#account = account;
    this.#clock = clock;
  }

  /** Begins to read. */
  start(socket: IntakeSocket): void {
    this.#socket = socket;
    if (this.#holds.size === 0) socket.resume();
  }

  get reading(): boolean {
    return this.#holds.size === 0;
  }

  /** Since when a frame has been under way that holds memory; undefined when none is. */
  get frameSinceMs(): number | undefined {
    return this.#reserved?.sinceMs;
  }

  /** From now on frames may be as large as this and are counted there: the client has authenticated. */
  raise(frameBytesMax: number, account: MemoryAccount): void {
    this.#assembler.frameBytesMax = frameBytesMax;
    this.#account = account;
  }

  hold(reason: Hold): void {
    if (this.#holds.size === 0) this.#socket?.pause();
    this.#holds.add(reason);
  }

  letGo(reason: Hold): void {
    if (this.#holds.delete(reason) && this.#holds.size === 0) this.#socket?.resume();
  }

  /** Counts the frames of one read and asks for the memory of the frame that has begun. */
  count(frames: readonly Buffer[]): readonly CountedFrame[] {
    const counted = frames.map((frame) => ({ frame, account: this.#countFrame(frame.length) }));
    // A frame whose memory is granted is read to its end: it must not wait behind those who wait for its memory.
    if (this.#reserved !== undefined) return counted;
    const pending = this.#assembler.pendingFrameBytes;
    if (pending > 0) this.#reserve(pending);
    else if (this.#account.exhausted) this.#reserve(0);
    return counted;
  }

  /** Gives back what is held for a frame that will never be complete. */
  close(): void {
    this.#closed = true;
    this.#withdraw?.();
    this.#withdraw = undefined;
    this.#reserved?.account.release(this.#reserved.bytes);
    this.#reserved = undefined;
  }

  #countFrame(bytes: number): MemoryAccount {
    const reserved = this.#reserved;
    if (reserved !== undefined) {
      // Frames come in order: the first to be complete is the one that memory was asked for.
      this.#reserved = undefined;
      return reserved.account;
    }
    this.#account.take(bytes);
    return this.#account;
  }

  #reserve(bytes: number): void {
    if (this.#withdraw !== undefined || this.#closed) return;
    const account = this.#account;
    const granted = (): void => {
      if (bytes > 0) this.#reserved = { bytes, account, sinceMs: this.#clock.monotonicMs() };
    };
    this.#withdraw = account.request(bytes, () => {
      this.#withdraw = undefined;
      granted();
      this.letGo("memory");
    });
    if (this.#withdraw === undefined) granted();
    else this.hold("memory");
  }
}
