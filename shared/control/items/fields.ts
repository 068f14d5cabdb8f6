/** Shapes that several items share. */
import { integer, objectOf, optional, type Shape, text, textLike } from "../../metadata/records/shape.ts";

export const millis = integer(0);

export function choice<Choice extends string>(...choices: readonly Choice[]): Shape<Choice> {
  return textLike(new RegExp(`^(?:${choices.join("|")})$`)) as Shape<string> as Shape<Choice>;
}

/** A name, and which of an object's attempts to have one it belongs to. */
export interface NameClaim {
  readonly text: string;
  /** Raised with each claim of the object, so that a claim of before is never taken for one of now. */
  readonly generation: number;
}

/**
 * How an object stands to the reservation of its name (`name-reservation.ts`): what it asks for is written here first,
 * then the reservation is made, then it is held. So from any crash it is known what to finish or to give back.
 */
export interface NameClaims {
  readonly held?: NameClaim;
  readonly wanted?: NameClaim;
  /** Was held; its reservation is being given back. */
  readonly former?: NameClaim;
  /** Of the newest claim ever made. */
  readonly generation: number;
}

const nameClaim = objectOf<NameClaim>({ text, generation: integer(1) });

export const nameClaims: Shape<NameClaims> = objectOf<NameClaims>({
  held: optional(nameClaim),
  wanted: optional(nameClaim),
  former: optional(nameClaim),
  generation: integer(0),
});
