import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBytes, escapeValue, formatProperties } from "../../src/argv/escape.ts";
import { QlaunchError } from "../../src/errors/index.ts";

describe("a value", () => {
  it.each([
    ["", ""],
    ["plain", "plain"],
    [",", ",,"],
    ["a,b,,c,", "a,,b,,,,c,,"],
    ["a=b", "a=b"],
    [" spaces ", " spaces "],
    ["'\"\\$`*?", "'\"\\$`*?"],
    ["ümläut 日本", "ümläut 日本"],
  ])("%j becomes %j", (text, spelled) => expect(escapeValue(text)).toBe(spelled));

  it.each(["\n", "\r", "\0"])("is refused with %j in it", (byte) => {
    for (const refuse of [escapeValue, checkBytes]) {
      expect(() => refuse(`a${byte}b`)).toThrow(QlaunchError);
      expect(() => refuse(`a${byte}b`)).toThrow(/ARGV_BYTE/);
    }
  });
});

describe("properties", () => {
  it("keep their order and leave out what is undefined", () => {
    expect(formatProperties({ b: "x", a: undefined, c: 1 })).toEqual(["b=x", "c=1"]);
  });

  it("spell flags as on and off, and numbers in full", () => {
    expect(formatProperties({ yes: true, no: false, size: 2 ** 40 })).toEqual([
      "yes=on",
      "no=off",
      "size=1099511627776",
    ]);
  });

  it("repeat their key for sets of numbers and for lists of text", () => {
    expect(formatProperties({ cpus: [0, 1, 2, 5, 7, 8], value: ["a,b", "c"] })).toEqual([
      "cpus=0-2",
      "cpus=5",
      "cpus=7-8",
      "value=a,,b",
      "value=c",
    ]);
    expect(formatProperties({ cpus: [], value: [] })).toEqual([]);
  });

  it("survive the way QEMU reads them, whatever text they hold", () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/);
    const text = fc.string({ unit: "grapheme" }).filter((value) => !/[\0\n\r]/.test(value));
    fc.assert(
      fc.property(fc.dictionary(key, text, { minKeys: 1, noNullPrototype: true }), (properties) => {
        expect(readAsQemu(formatProperties(properties).join(","))).toEqual(properties);
      }),
      { numRuns: 500 },
    );
  });
});

/** As get_opt_value of QEMU's util/qemu-option.c: a value ends at a comma that no other comma follows. */
function readAsQemu(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  let position = 0;
  while (position < text.length) {
    const equals = text.indexOf("=", position);
    const key = text.slice(position, equals);
    let value = "";
    position = equals + 1;
    while (position < text.length) {
      if (text[position] === ",") {
        if (text[position + 1] !== ",") break;
        position++;
      }
      value += text[position++];
    }
    position++;
    result[key] = value;
  }
  return result;
}
