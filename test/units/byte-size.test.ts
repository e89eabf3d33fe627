import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeByteSize, formatByteSize, parseByteSize } from "../../src/units/index.ts";

describe("parseByteSize", () => {
  it.each([
    ["0", 0],
    ["512", 512],
    ["512M", 512 * 2 ** 20],
    ["32G", 32 * 2 ** 30],
    ["1T", 2 ** 40],
    ["1.5G", 1.5 * 2 ** 30],
    ["64k", 65536],
    ["2GiB", 2 ** 31],
    ["2GB", 2 ** 31],
    [" 4 M ", 4 * 2 ** 20],
    [4096, 4096],
    [0, 0],
  ])("reads %j", (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

  it.each([
    "",
    "G",
    "1.5",
    "-1",
    "1e3",
    "1 2",
    "0x10",
    "5X",
    "1.G",
    "9007199254740993",
    "0.3K",
    1.5,
    -1,
    Number.NaN,
    2 ** 53,
  ])("does not read %j", (text) => expect(parseByteSize(text)).toBeUndefined());
});

describe("formatByteSize", () => {
  it.each([
    [0, "0"],
    [1023, "1023"],
    [1024, "1K"],
    [1536 * 2 ** 20, "1536M"],
    [2 ** 33, "8G"],
    [2 ** 40, "1T"],
    [2 ** 40 + 1, "1099511627777"],
  ])("writes %i as %s", (bytes, text) => expect(formatByteSize(bytes)).toBe(text));

  it("is read back as what it was", () => {
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      fc.tuple(fc.nat(4096), fc.constantFrom(10, 20, 30, 40)).map(([count, power]) => count * 2 ** power),
    );
    fc.assert(fc.property(sizes, (bytes) => parseByteSize(formatByteSize(bytes)) === bytes));
  });
});

it.each([
  [12, "12 B"],
  [512 * 1024, "512 KiB"],
  [2 ** 33, "8 GiB"],
  [1.5 * 2 ** 30, "1.5 GiB"],
  [2 ** 40 * 2.25, "2.3 TiB"],
])("tells people %i as %s", (bytes, text) => expect(describeByteSize(bytes)).toBe(text));
