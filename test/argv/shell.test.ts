import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { renderArgv, renderShell } from "../../src/argv/index.ts";
import { quote } from "../../src/argv/shell.ts";
import { plan } from "../plan/planning.ts";

it.each([
  ["plain-word_1=a,b:/c.d+e@f%g", "plain-word_1=a,b:/c.d+e@f%g"],
  ["two words", "'two words'"],
  ["it's", "'it'\\''s'"],
  ["$HOME", "'$HOME'"],
  ["~", "'~'"],
  ["", "''"],
])("quotes %j as %s", (word, quoted) => expect(quote(word)).toBe(quoted));

it("is read by a shell as what it was", () => {
  const text = fc.string({ unit: "grapheme" }).filter((value) => !/[\0\ud800-\udfff]/.test(value));
  const words = fc.array(text, { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(words, (list) => {
      const script = `printf '%s\\0' ${list.map(quote).join(" ")}`;
      expect(execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(list);
    }),
    { numRuns: 25 },
  );
});

it("is a command with an option a line, without the launcher's own monitor", () => {
  const planned = plan({ kernel: { image: "/k v", cmdline: "it's quiet" } });
  const lines = renderShell(planned).split(" \\\n  ");
  expect(lines[0]).toBe(planned.program);
  expect(lines).toContain("-kernel '/k v'");
  expect(lines).toContain("-append 'it'\\''s quiet'");
  expect(lines.join()).not.toContain("fd=3");
  expect(renderArgv(planned).join()).toContain("fd=3");
});
