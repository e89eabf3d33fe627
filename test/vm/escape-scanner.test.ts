import { describe, expect, it } from "vitest";
import { defaultEscapeByte, scanForEscape } from "../../src/vm/escape-scanner.ts";

const scan = (text: string, escapeByte: number | null = defaultEscapeByte) => {
  const { forward, escaped } = scanForEscape(Buffer.from(text), escapeByte);
  return [Buffer.from(forward).toString(), escaped];
};

describe("what a user types", () => {
  it("goes to the guest up to Ctrl-]", () => {
    expect(scan("ls\r")).toEqual(["ls\r", false]);
    expect(scan("ls\x1d")).toEqual(["ls", true]);
    expect(scan("\x1d")).toEqual(["", true]);
    expect(scan("a\x1db\x1dc")).toEqual(["a", true]);
    expect(scan("")).toEqual(["", false]);
  });

  it("goes up to another key, or wholly without one", () => {
    expect(scan("a\x1db\x01c", 0x01)).toEqual(["a\x1db", true]);
    expect(scan("a\x1db", null)).toEqual(["a\x1db", false]);
  });

  it("is bytes: a character that has the key's number as a later byte does not occur in UTF-8", () => {
    expect(scan("äöü€🙂")).toEqual(["äöü€🙂", false]);
  });
});
