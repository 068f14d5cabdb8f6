/** After everything healed, every group must be stable and commit within this simulated time. */
export const groupsStableMsMax = 14_000;

export interface GroupView {
  readonly name: string;
  /** The generation that all members are in; undefined while they are not. */
  readonly stable: number | undefined;
  /** When the last of them was told that it is a member. */
  readonly aliveMs: number;
  /** When an offset was last committed by a member. */
  readonly committedMs: number;
  /** The members, for a message. */
  readonly what: string;
}

/** To be asked `groupsStableMsMax` after everything healed. */
export function judgeGroups(groups: readonly GroupView[], healedMs: number, violate: (message: string) => void): void {
  for (const { name, stable, aliveMs, committedMs, what } of groups) {
    const after = `${groupsStableMsMax} ms after everything healed`;
    if (stable === undefined) violate(`${name} is not stable ${after}: ${what}`);
    else if (aliveMs < healedMs) violate(`a member of ${name} was told nothing for ${after}: ${what}`);
    else if (committedMs < healedMs) violate(`${name} committed nothing for ${after}: ${what}`);
  }
}
