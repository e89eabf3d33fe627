import fc from "fast-check";
import { expect, it } from "vitest";
import { formatJson } from "../../src/host/format-json.ts";

it("writes what JSON.parse reads back", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // -0 has no spelling in JSON.
      const plain = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(formatJson(plain))).toEqual(plain);
    }),
  );
});

it("puts an object that fits on one line, and each list of plain values", () => {
  const ids = Array.from({ length: 100 }, (_, id) => id);
  expect(formatJson({ small: { a: 1, b: [1, 2] }, ids, none: [], empty: {} })).toBe(
    `{\n  "small": { "a": 1, "b": [1, 2] },\n  "ids": [${ids.join(", ")}],\n  "none": [],\n  "empty": {}\n}`,
  );
});

it("gives each object of a long list a line", () => {
  const entries = Array.from({ length: 20 }, (_, id) => ({ id, online: true }));
  expect(formatJson(entries).split("\n")).toHaveLength(22);
});
