import { groupAnswerBytesMax } from "../limits.ts";

/**
 * What the answer about several groups may still take. Nothing else bounds it: a request of a few bytes may name a large
 * group again and again.
 */
export class AnswerBudget {
  #left: number = groupAnswerBytesMax;
  #isBegun = false;

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** Is there room for another group, of about so many bytes? For the first there is in any case. */
  admits(bytes: number): boolean {
    const fits = !this.#isBegun || bytes <= this.#left;
    this.#isBegun = true;
    this.#left -= bytes;
    return fits;
  }
}
