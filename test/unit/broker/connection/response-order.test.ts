import fc from "fast-check";
import { expect, test } from "vitest";
import { ResponseOrder } from "../../../../broker/connection/response-order.ts";

test("responses leave in the order of their requests, however they are finished", () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 }),
      fc.uniqueArray(fc.nat(11)),
      (finished, silent) => {
        const sent: string[] = [];
        const order = new ResponseOrder((chunks) => sent.push(Buffer.concat(chunks).toString()));
        const slots = finished.map(() => order.enter());
        for (const index of finished) {
          order.fill(slots[index]!, silent.includes(index) ? undefined : [Buffer.from(`${index}`)]);
        }
        expect(sent).toEqual([...finished.keys()].filter((index) => !silent.includes(index)).map(String));
        expect(order.open).toBe(0);
      },
    ),
  );
});

test("a response that is ready waits for those before it", () => {
  const sent: Buffer[] = [];
  const order = new ResponseOrder((chunks) => sent.push(...chunks));
  const [first, second] = [order.enter(), order.enter()];
  order.fill(second, [Buffer.from("2")]);
  expect(sent).toEqual([]);
  order.fill(first, [Buffer.from("1")]);
  expect(Buffer.concat(sent).toString()).toBe("12");
});

test("a request is answered once", () => {
  const order = new ResponseOrder(() => undefined);
  order.enter();
  const slot = order.enter();
  order.fill(slot, undefined);
  expect(() => order.fill(slot, undefined)).toThrow("answered once");
});
