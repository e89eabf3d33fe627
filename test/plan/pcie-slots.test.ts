import { expect, it } from "vitest";
import { formatAddr, Slots } from "../../src/plan/pcie-slots.ts";

it("packs eight functions into a slot, then takes the next free one", () => {
  const slots = new Slots("pcie.0", 32);
  slots.occupy(0, "board");
  const places = Array.from({ length: 9 }, (_, index) => slots.pack(`p${index}`)).map(
    (place) => place && formatAddr(place),
  );
  expect(places).toEqual([
    "0x1",
    "0x1.0x1",
    "0x1.0x2",
    "0x1.0x3",
    "0x1.0x4",
    "0x1.0x5",
    "0x1.0x6",
    "0x1.0x7",
    "0x2",
  ]);
});

it("gives whole slots between packed ones", () => {
  const slots = new Slots("pcie.0", 32);
  expect([slots.pack("a"), slots.take("whole"), slots.pack("b"), slots.take("another")]).toEqual([
    { slot: 0, function: 0 },
    { slot: 1, function: 0 },
    { slot: 0, function: 1 },
    { slot: 2, function: 0 },
  ]);
});

it.each([1, 32] as const)("has %i slots", (count) => {
  const slots = new Slots("bus", count);
  const taken = Array.from({ length: 33 }, () => slots.take("device")).filter((place) => place !== undefined);
  expect(taken).toHaveLength(count);
  expect(slots.pack("one more")).toBeUndefined();
});
