import { posix } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { basename, dirname, isAbsolute, join, resolve } from "../../src/system/index.ts";

/** Anything that paths are made of, and what means nothing in them here. */
const parts = fc.array(fc.constantFrom("a", "bc", ".", "..", "/", "//", ".d", "e.f", "\\", " ", "ä"), {
  maxLength: 8,
});
const path = parts.map((some) => some.join(""));

it("paths are what node:path makes of them", () => {
  fc.assert(
    fc.property(path, path, path, (one, two, three) => {
      expect(join(one, two, three)).toBe(posix.join(one, two, three));
      expect(resolve(one, two, three)).toBe(posix.resolve(one, two, three));
      expect(isAbsolute(one)).toBe(posix.isAbsolute(one));
      expect(basename(one)).toBe(posix.basename(one));
      // Node leaves slashes in it that mean nothing.
      expect(posix.normalize(dirname(one))).toBe(
        posix.normalize(posix.dirname(one).replace(/(?<=.)\/+$/, "")),
      );
    }),
    { numRuns: 2000 },
  );
});
