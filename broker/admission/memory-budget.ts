import { strict as assert } from "node:assert";

/** Takes back a wish that was not granted yet; after the grant it does nothing. */
export type WithdrawWish = () => void;

interface Waiter {
  readonly bytes: number;
  readonly sinceMs: number;
  granted: (() => void) | undefined;
}

/** The one who has waited longest. */
export interface LongestWait {
  readonly account: MemoryAccount;
  readonly waitedMs: number;
  /** Only its own share is used up: what others hold is not the reason. */
  readonly byOwnShare: boolean;
}

/** The part that is kept for accounts which hold little. */
export interface ModestPart {
  readonly bytes: number;
  /** Most that an account may hold to count as modest. */
  readonly accountBytesMax: number;
}

/**
 * Counts the bytes that clients make the broker hold for requests and responses, and makes them take turns when there
 * are too many. Everybody has an account: a logical cluster, or the address of a peer that has not authenticated.
 *
 * Nobody may hold more than a share of the whole, so that one client whose requests do not end (a partition without a
 * quorum, a connection that sends or reads slowly) leaves room for all others. Who does not get bytes at once waits:
 * accounts take turns, and inside an account wishes are served in order of arrival, whatever their size. So nobody waits
 * for ever, and many connections bring no larger part than one.
 *
 * A part is kept for modest accounts, which hold little: they pass those who wait for room, or a few owners of large
 * requests that never end would make everybody wait. What overtakes is bounded by that part, which the others' wishes
 * never count on: so it does not keep them from their turn.
 *
 * Large frames ask first (`request`), before their memory is made. What exists already (small frames that came with the
 * last read, responses) is only counted (`take`) and may exceed the maximum by what one read of each connection brings;
 * then everybody waits until it has gone down again. Grants come from inside `release` and must be cheap.
 */
export class MemoryBudget {
  readonly bytesMax: number;
  /** Most that one account may hold; a single request may always be larger when the account holds nothing else. */
  readonly shareBytesMax: number;
  readonly #modest: ModestPart;
  /** What modest accounts hold now. */
  #modestUsedBytes = 0;
  readonly #nowMs: () => number;
  readonly #accounts = new Map<string, MemoryAccount>();
  /** Accounts with waiters, in the order of their turns. */
  #turns: MemoryAccount[] = [];
  #usedBytes = 0;
  #granting = false;

  constructor(
    sizes: { readonly bytesMax: number; readonly shareBytesMax: number; readonly modest?: ModestPart },
    nowMs: () => number,
  ) {
    this.bytesMax = sizes.bytesMax;
    this.shareBytesMax = sizes.shareBytesMax;
    this.#modest = sizes.modest ?? { bytes: 0, accountBytesMax: -1 };
    this.#nowMs = nowMs;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The owner's account, for one more connection; to be closed with it. */
  open(owner: string): MemoryAccount {
    let account = this.#accounts.get(owner);
    if (account === undefined) {
      account = new MemoryAccount(this, owner);
      this.#accounts.set(owner, account);
    }
    account.users += 1;
    return account;
  }

  close(account: MemoryAccount): void {
    account.users -= 1;
    this.#forgetIfUnused(account);
  }

  /** undefined when nobody waits. */
  longestWait(): LongestWait | undefined {
    let longest: LongestWait | undefined;
    for (const account of this.#turns) {
      const first = account.firstWaiter();
      if (first === undefined) continue;
      const waitedMs = this.#nowMs() - first.sinceMs;
      if (waitedMs <= (longest?.waitedMs ?? -1)) continue;
      longest = { account, waitedMs, byOwnShare: !hasShareLeft(account, first.bytes, this.shareBytesMax) };
    }
    return longest;
  }

  /** For accounts: see `MemoryAccount`. */
  take(account: MemoryAccount, bytes: number): void {
    this.#change(account, bytes);
  }

  release(account: MemoryAccount, bytes: number): void {
    assert(bytes >= 0 && bytes <= account.usedBytes, "more bytes released than were taken");
    this.#change(account, -bytes);
    this.#forgetIfUnused(account);
    this.#grant();
  }

  isExhausted(account: MemoryAccount): boolean {
    return (this.#turns.length > 0 || !this.#fits(account, 0)) && !this.#overtakes(account, 0);
  }

  request(account: MemoryAccount, bytes: number, granted: () => void): WithdrawWish | undefined {
    assert(bytes >= 0 && bytes <= this.bytesMax - this.#modest.bytes, "a wish that large can never be granted");
    const first = account.firstWaiter() === undefined;
    if (first && (this.#overtakes(account, bytes) || (!this.#someoneWaitsForRoom() && this.#fits(account, bytes)))) {
      this.take(account, bytes);
      return undefined;
    }
    const waiter: Waiter = { bytes, sinceMs: this.#nowMs(), granted };
    account.waiters.push(waiter);
    if (!account.inTurn) this.#turns.push(account);
    account.inTurn = true;
    return () => this.#withdraw(waiter);
  }

  #fits(account: MemoryAccount, bytes: number): boolean {
    return this.#hasRoom(bytes) && hasShareLeft(account, bytes, this.shareBytesMax);
  }

  /** A wish for nothing waits until there is something. The part of the modest counts as used. */
  #hasRoom(bytes: number): boolean {
    const usedBytes = this.#usedBytes + Math.max(0, this.#modest.bytes - this.#modestUsedBytes);
    return bytes === 0 ? usedBytes < this.bytesMax : usedBytes + bytes <= this.bytesMax;
  }

  /** With it an account may begin or cease to be modest. */
  #change(account: MemoryAccount, byBytes: number): void {
    this.#modestUsedBytes -= this.#modestBytesOf(account);
    account.usedBytes += byBytes;
    this.#usedBytes += byBytes;
    this.#modestUsedBytes += this.#modestBytesOf(account);
  }

  #modestBytesOf({ usedBytes }: MemoryAccount): number {
    return usedBytes <= this.#modest.accountBytesMax ? usedBytes : 0;
  }

  /** Whether the part of the modest has these bytes for an account that stays modest with them. */
  #overtakes({ usedBytes }: MemoryAccount, bytes: number): boolean {
    const { bytes: partBytes, accountBytesMax } = this.#modest;
    if (usedBytes + bytes > accountBytesMax) return false;
    return bytes === 0
      ? this.#modestUsedBytes < partBytes && this.#usedBytes < this.bytesMax
      : this.#modestUsedBytes + bytes <= partBytes && this.#usedBytes + bytes <= this.bytesMax;
  }

  /** Whether somebody in turn waits for room, and not only for its own share. */
  #someoneWaitsForRoom(): boolean {
    return this.#turns.some((account) => {
      const first = account.firstWaiter();
      return first !== undefined && hasShareLeft(account, first.bytes, this.shareBytesMax);
    });
  }

  /**
   * Serves accounts in turn. One that has used up its share is passed over; one for which there is no room stops all but
   * the modest.
   */
  #grant(): void {
    if (this.#granting) return;
    this.#granting = true;
    let passedOver = 0;
    while (passedOver < this.#turns.length) {
      const account = this.#turns[0] as MemoryAccount;
      const first = account.firstWaiter();
      if (first === undefined) {
        this.#turns.shift();
        account.inTurn = false;
      } else if (!hasShareLeft(account, first.bytes, this.shareBytesMax)) {
        this.#turns.push(this.#turns.shift() as MemoryAccount);
        passedOver += 1;
      } else if (this.#hasRoom(first.bytes)) {
        this.#turns.push(this.#turns.shift() as MemoryAccount);
        passedOver = 0;
        this.#grantFirst(account, first);
      } else {
        this.#grantModest();
        break;
      }
    }
    this.#granting = false;
  }

  #grantModest(): void {
    for (const account of [...this.#turns]) {
      let first = account.firstWaiter();
      while (first !== undefined && this.#overtakes(account, first.bytes)) {
        this.#grantFirst(account, first);
        first = account.firstWaiter();
      }
    }
  }

  #grantFirst(account: MemoryAccount, first: Waiter): void {
    account.waiters.shift();
    this.take(account, first.bytes);
    const { granted } = first;
    first.granted = undefined;
    granted?.();
  }

  #forgetIfUnused(account: MemoryAccount): void {
    if (account.users === 0 && account.usedBytes === 0 && this.#accounts.get(account.owner) === account) {
      this.#accounts.delete(account.owner);
    }
  }

  #withdraw(waiter: Waiter): void {
    if (waiter.granted === undefined) return;
    waiter.granted = undefined;
    // The one withdrawn may have been what the others waited for.
    this.#grant();
  }
}

/** What one owner holds; shared by all its connections. */
export class MemoryAccount {
  readonly owner: string;
  readonly #budget: MemoryBudget;
  /** Changed by the budget only. */
  usedBytes = 0;
  /** Connections that use the account. */
  users = 0;
  /** Stands in the budget's list of turns. */
  inTurn = false;
  readonly waiters: Waiter[] = [];

  constructor(budget: MemoryBudget, owner: string) {
    this.#budget = budget;
    this.owner = owner;
  }

  /** Bytes that could be granted now. */
  get freeBytes(): number {
    const { bytesMax, shareBytesMax, usedBytes } = this.#budget;
    return Math.max(0, Math.min(bytesMax - usedBytes, shareBytesMax - this.usedBytes));
  }

  /** Nothing new should be started: the whole or the share is used up, or others wait for their turn. */
  get exhausted(): boolean {
    return this.#budget.isExhausted(this);
  }

  /** Counts bytes that are held already. */
  take(bytes: number): void {
    this.#budget.take(this, bytes);
  }

  /** Gives back bytes that were taken or granted, and serves those who wait. */
  release(bytes: number): void {
    this.#budget.release(this, bytes);
  }

  /**
   * Takes the bytes and returns undefined when they are there and it is nobody else's turn. Otherwise queues: `granted`
   * is called once, when the bytes have been taken for the caller; the returned function withdraws the wish.
   * A wish for 0 bytes waits until the account is no longer exhausted.
   */
  request(bytes: number, granted: () => void): WithdrawWish | undefined {
    return this.#budget.request(this, bytes, granted);
  }

  /** Ends one connection's use. */
  close(): void {
    this.#budget.close(this);
  }

  /** The first who still waits. */
  firstWaiter(): Waiter | undefined {
    while (this.waiters.length > 0 && this.waiters[0]?.granted === undefined) this.waiters.shift();
    return this.waiters[0];
  }
}

function hasShareLeft({ usedBytes }: MemoryAccount, bytes: number, shareBytesMax: number): boolean {
  if (bytes === 0) return usedBytes < shareBytesMax;
  return usedBytes === 0 || usedBytes + bytes <= shareBytesMax;
}
