import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/errors/index.ts";
import { renderDiagnostic, renderDiagnostics } from "../../src/report/index.ts";
import { colourless, plain, terminal } from "./style.ts";

const shortage: Diagnostic = {
  code: "HOST_HUGEPAGES_SHORT",
  severity: "error",
  path: ["memory", "pageSize"],
  place: { file: "profiles/gpu.json", line: 14, column: 17, endColumn: 21, text: '    "pageSize": "1G"' },
  found: "node 0 has 12 free 1 GiB pages, the guest needs 16",
  needed: "16 free pages",
  fix: "reserve 4 more",
};

describe("a problem", () => {
  it("has its place, the line with the value underlined, what is needed and the fix", () => {
    expect(renderDiagnostic(shortage, plain)).toEqual([
      "profiles/gpu.json:14:17 HOST_HUGEPAGES_SHORT node 0 has 12 free 1 GiB pages, the guest needs 16",
      '    "pageSize": "1G"',
      "                ~~~~",
      "  at: memory.pageSize",
      "  needed: 16 free pages",
      "  fix: reserve 4 more",
    ]);
  });

  it("without a place in a profile starts with its code", () => {
    const { place, ...rest } = shortage;
    expect(renderDiagnostic({ ...rest, path: [] }, plain)).toEqual([
      "HOST_HUGEPAGES_SHORT node 0 has 12 free 1 GiB pages, the guest needs 16",
      "  needed: 16 free pages",
      "  fix: reserve 4 more",
    ]);
  });

  it("does not repeat a path that it names", () => {
    const lines = renderDiagnostic({ ...shortage, found: "memory.pageSize is 3" }, plain);
    expect(lines.filter((line) => line.includes("at:"))).toEqual([]);
  });

  it("keeps the words of QEMU line by line, without what would change the terminal", () => {
    const lines = renderDiagnostic({ ...shortage, detail: "qemu: \u001b[2Jno memory\nqemu: bye\n\n" }, plain);
    expect(lines.slice(-2)).toEqual(["    | qemu:  [2Jno memory", "    | qemu: bye"]);
  });

  it("underlines at least one character, also beyond the end of the line", () => {
    const place = { file: "p.json", line: 1, column: 3, endColumn: 3, text: "{ " };
    expect(renderDiagnostic({ ...shortage, place }, plain).slice(1, 3)).toEqual(["    {", "      ~"]);
  });

  it("shows no source for an empty line", () => {
    const place = { file: "p.json", line: 1, column: 1, endColumn: 2, text: "" };
    expect(renderDiagnostic({ ...shortage, place }, plain)[1]).toBe("  at: memory.pageSize");
  });

  it("keeps the columns in a line with tabs", () => {
    const place = { file: "p.json", line: 1, column: 5, endColumn: 6, text: '\t"a":\t1' };
    const tabbed = { ...place, column: 7, endColumn: 8 };
    expect(renderDiagnostic({ ...shortage, place: tabbed }, plain).slice(1, 3)).toEqual([
      '    "a": 1',
      "         ~",
    ]);
  });

  it("of a very long line shows the part around the value", () => {
    const text = `{${'"a":1,'.repeat(200)}"name":"a/b"${',"a":1'.repeat(200)}}`;
    const start = text.indexOf('"a/b"');
    const place = { file: "p.json", line: 1, column: start + 1, endColumn: start + 6, text };
    const [, source = "", marks = ""] = renderDiagnostic({ ...shortage, place }, colourless(80));
    expect(source.length).toBeLessThanOrEqual(80);
    expect(source.slice(marks.indexOf("~"), marks.lastIndexOf("~") + 1)).toBe('"a/b"');
  });

  it("is coloured on a terminal", () => {
    const [head = "", , marks = ""] = renderDiagnostic(shortage, terminal(80));
    expect(head).toContain("\u001b[31mHOST_HUGEPAGES_SHORT\u001b[39m");
    expect(marks).toContain("\u001b[31m~~~~\u001b[39m");
  });
});

describe("several", () => {
  const { place, ...warning } = { ...shortage, severity: "warning" as const, path: [] };

  it("are errors first, then warnings, and a count", () => {
    const lines = renderDiagnostics([warning, shortage, warning], plain);
    expect(lines.filter((line) => line.includes("HOST_"))).toEqual([
      expect.stringMatching(/^profiles\/gpu.json/),
      expect.stringMatching(/^warning HOST_/),
      expect.stringMatching(/^warning HOST_/),
    ]);
    expect(lines.at(-1)).toBe("1 problem, 2 warnings");
  });

  it("count only what there is", () => {
    expect(renderDiagnostics([warning], plain).at(-1)).toBe("1 warning");
    expect(renderDiagnostics([shortage, shortage], plain).at(-1)).toBe("2 problems");
    expect(renderDiagnostics([], plain)).toEqual([]);
  });
});
