import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { importDomain } from "../../../src/import/libvirt/index.ts";
import { readXml } from "../../../src/import/libvirt/xml.ts";

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

const names = [
  ...[
    "domain",
    "name",
    "memory",
    "vcpu",
    "cpu",
    "numa",
    "cell",
    "topology",
    "devices",
    "disk",
    "controller",
    "address",
  ],
  ...[
    "interface",
    "hostdev",
    "source",
    "target",
    "model",
    "driver",
    "os",
    "type",
    "features",
    "cputune",
    "vcpupin",
  ],
  ...[
    "numatune",
    "memnode",
    "memoryBacking",
    "hugepages",
    "page",
    "clock",
    "timer",
    "iommu",
    "rng",
    "backend",
    "x",
  ],
];
const values = [
  "",
  "0",
  "1",
  "-1",
  "0x20",
  "99999999999999",
  "pci",
  "yes",
  "on",
  "0-3",
  "^",
  "file",
  "virtio",
  "é",
  "KiB",
];
const attributes = [
  "type",
  "index",
  "model",
  "bus",
  "slot",
  "function",
  "cpus",
  "memory",
  "unit",
  "id",
  "nodeset",
  "x",
];

/** An element with others in it, four deep. */
function elementOf(depth: number): fc.Arbitrary<string> {
  return fc
    .record({
      name: fc.constantFrom(...names),
      given: fc.uniqueArray(fc.constantFrom(...attributes), { maxLength: 4 }),
      value: fc.constantFrom(...values),
      text: fc.constantFrom(...values),
      inside: depth === 0 ? fc.constant([]) : fc.array(elementOf(depth - 1), { maxLength: 4 }),
    })
    .map(
      ({ name, given, value, text, inside }) =>
        `<${name} ${given.map((key) => `${key}='${value}'`).join(" ")}>${text}${inside.join("")}</${name}>`,
    );
}
const element = elementOf(4);

it("any domain is taken over with a report, or refused; nothing is thrown", () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 8 }), (inside) => {
      const result = importDomain(`<domain>${inside.join("")}</domain>`);
      expect(result.ok).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it("any text at all is refused or taken over", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 200 }),
        element,
        fc.string().map((text) => `<domain>${text}`),
      ),
      (text) => {
        importDomain(text);
      },
    ),
    { numRuns: 8000 },
  );
});
