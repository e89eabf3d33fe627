import { expect, it } from "vitest";
import type { Diagnostic } from "../../src/errors/index.ts";
import { renderJson, renderJsonDiagnostics, renderJsonEvent } from "../../src/report/index.ts";

it("an event is one line", () => {
  const event = { type: "notice", level: "info", message: "two\nlines" } as const;
  expect(renderJsonEvent(event)).toBe('{"type":"notice","level":"info","message":"two\\nlines"}');
});

it("diagnostics keep all they have", () => {
  const diagnostic: Diagnostic = {
    code: "PROFILE_VALUE",
    severity: "error",
    path: ["name"],
    place: { file: "p.json", line: 1, column: 2, endColumn: 3, text: "{}" },
    found: "a",
    needed: "b",
    fix: "c",
    detail: "d",
  };
  expect(JSON.parse(renderJsonDiagnostics([diagnostic]))).toEqual({ diagnostics: [diagnostic] });
  expect(renderJson([])).toBe("[]");
});
