import { expect, it } from "vitest";
import { parseXml } from "../../src/host/xml.ts";

const element = (name: string, more: object = {}) => ({
  name,
  attributes: {},
  children: [],
  text: "",
  ...more,
});

it("reads elements, attributes and text", () => {
  const source = `\ufeff<?xml version="1.0"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<!-- a <comment> -->
<a one="1" two='"2"'><b/><b x.y="&lt;&amp;&#65;&#x42;&unknown;">1 2 <c></c> 3</b></a>
`;
  expect(parseXml(source)).toEqual(
    element("a", {
      attributes: { one: "1", two: '"2"' },
      children: [
        element("b"),
        element("b", { attributes: { "x.y": "<&AB&unknown;" }, text: "1 2  3", children: [element("c")] }),
      ],
    }),
  );
});

it.each([
  ["", "no single outermost element"],
  ["<a/><b/>", "no single outermost element"],
  ["<a>\n<b>\n</a>", "line 3: </a>"],
  ["<a><b>", "no </b>"],
  ["</a>", "line 1: </a>"],
  ["words", "line 1: text"],
  ["<a x=1/>", 'line 1: "<a x=1/>"'],
  ['<!DOCTYPE a [<!ENTITY b "c">]><a/>', 'line 1: "<!DOCTYPE a [<!ENTIT"'],
  ["<a>\n<![CDATA[x]]></a>", 'line 2: "<![CDATA[x]]></a>"'],
])("says what is wrong with %j", (source, problem) => expect(parseXml(source)).toBe(problem));
