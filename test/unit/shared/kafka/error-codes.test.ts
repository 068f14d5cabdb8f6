import { describe, expect, test } from "vitest";
import { errorCode, kafkaErrorOf, kafkaErrors } from "../../../../shared/kafka/error-codes.ts";

describe("error codes", () => {
  test("run without a gap and without a repeat", () => {
    const codes = kafkaErrors.map((error) => error.code);

    expect(codes).toEqual(codes.map((_, index) => index - 1));
  });

  test("are found by name and by number", () => {
    expect(errorCode.NOT_LEADER_OR_FOLLOWER).toBe(6);
    expect(kafkaErrorOf(6)).toMatchObject({ name: "NOT_LEADER_OR_FOLLOWER", retriable: true });
    expect(kafkaErrorOf(9_999)).toBeUndefined();
  });

  test("each say something a tenant can read, ending as a sentence", () => {
    expect(kafkaErrors.filter((error) => !/^[A-Z].*\.$/.test(error.message))).toEqual([]);
  });
});
