import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { importDomain } from "../../../src/import/libvirt/index.ts";
import { readXml } from "../../../src/import/libvirt/xml.ts";
import { anyElement, anyText } from "./any-document.ts";

const problemOf = (text: string) => {
  const result = readXml(text);
  return "found" in result ? `${result.line}:${result.column} ${result.found}` : "read";
};

describe("a document", () => {
  it("has elements with their places, attributes, text and namespaces", () => {
    expect(readXml("<a x='1'>\n  <b/> t<q:c xmlns:q='urn:q' q:y='&lt;'/></a>")).toEqual({
      ...{ name: "a", text: "t", line: 1, column: 1, attributes: new Map([["x", "1"]]) },
      children: [
        { name: "b", text: "", line: 2, column: 3, attributes: new Map(), children: [] },
        {
          name: "{urn:q}c",
          text: "",
          line: 2,
          column: 9,
          attributes: new Map([["{urn:q}y", "<"]]),
          children: [],
        },
      ],
    });
  });

  it.each([
    ["", "1:1 document must contain a root element"],
    ["<a>", "unclosed tag: a"],
    ["<a></b>", "unexpected close tag"],
    ["<a x=1/>", "unquoted attribute value"],
    ["<a>&x;</a>", "undefined entity"],
    ["<q:a/>", "unbound namespace prefix"],
    ["<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "a document type"],
    [`${"<a>".repeat(70)}`, "elements in each other 64 deep"],
    ["x".repeat(5_000_000), "5000000 characters"],
  ])("that is wrong is told with its place: %.30s", (text, expected) => {
    expect(problemOf(text)).toContain(expected);
  });

  it("of something else is no domain", () => {
    expect(importDomain("<network/>")).toMatchObject({
      ok: false,
      diagnostics: [{ code: "IMPORT_XML", found: 'line 1, column 1: a document of "network"' }],
    });
  });
});

it("any domain is taken over with a report, or refused; nothing is thrown", () => {
  fc.assert(
    fc.property(fc.array(anyElement, { maxLength: 8 }), (inside) => {
      const result = importDomain(`<domain><memory>65536</memory>${inside.join("")}</domain>`);
      const codes = result.ok ? [] : result.diagnostics.map(({ code }) => code);
      expect(codes.filter((code) => code !== "IMPORT_GUEST")).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

it("any text at all is refused or taken over", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      importDomain(text);
    }),
    { numRuns: 8000 },
  );
});
