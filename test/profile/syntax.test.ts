import { expect, it } from "vitest";
import { parseProfile } from "../../src/profile/index.ts";

async function syntaxProblems(text: string): Promise<string[]> {
  const { diagnostics } = await parseProfile(text, "p.json");
  return diagnostics
    .filter(({ code }) => code === "PROFILE_SYNTAX")
    .map(({ place, found, fix }) => `${place?.line}:${place?.column} ${found} | ${fix}`);
}

it.each([
  ["", ['1:1 the file is empty | start with {"version": 1, "name": ...}']],
  [" \n ", ['1:1 the file is empty | start with {"version": 1, "name": ...}']],
  ["<domain/>", ["1:1 the file is XML | give the profile's file, not a libvirt domain"]],
  ['{"a": 1,}', ["1:8 a comma before the closing } | remove the comma"]],
  ['{"a": [1,]}', ["1:9 a comma before the closing ] | remove the comma"]],
  ['{ // why\n"a": 1}', ['1:3 a comment | remove it; the key "description" holds notes']],
  ['{"a": 1 /* why */}', ['1:9 a comment | remove it; the key "description" holds notes']],
  ["{'a': 1}", ["1:2 text in single quotes: 'a' | write \"a\""]],
  ["{a: 1}", ['1:2 a without quotes | write "a"']],
  ['{"a": 0x10}', ["1:7 0x10, which is no number of JSON | write 16"]],
  ['{"a": .5}', ["1:7 .5, which is no number of JSON | write 0.5"]],
  ['{"a": Infinity}', ["1:7 Infinity, which is no number of JSON | write a decimal number"]],
  ['{"a": 1 "b": 2}', ["1:9 no comma before this | put a comma in front"]],
  ['{"a": 1\n"b": 2}', ["2:1 no comma before this | put a comma in front"]],
  ['{"a": [1 2]}', ["1:10 no comma before this | put a comma in front"]],
  ['{"a"= 1}', ['1:5 "=" | write ":"']],
  ['{"a": yes}', ['1:7 yes without quotes | write true or "yes"']],
  ['{"a": None}', ['1:7 None without quotes | write null or "None"']],
  ['{"a": q35}', ['1:7 q35 without quotes | write "q35"']],
  ['{"a": [1', ["1:9 the file ends before everything is closed | see whether the end was cut off"]],
  ['{"a": 1}}', ['1:9 "}" after the profile\'s end | remove it']],
  ['{"a": 1} x', ['1:10 "x" after the profile\'s end | remove it']],
  ['{"a": 1} {}', ['1:10 "{" after the profile\'s end | remove it']],
  ['{"a": "x\n, "b": 1}', ['1:7 text that does not end on its line | put " where the text ends']],
  ['{"a": "x\ty"}', ["1:9 a control character inside text | escape or remove it"]],
])("%j", async (text, expected) => {
  expect(await syntaxProblems(text)).toEqual(expected);
});

it("tells every comment and comma, and what is wrong with the values too", async () => {
  const text = `{
  // the first
  "version": 1, "name": "a b",
  "cpus": { "boot": 0, }, /* the second */
  "memory": { "size": "1G" },
}`;
  const { diagnostics, profile } = await parseProfile(text, "p.json");
  expect(profile).toBeUndefined();
  expect(diagnostics.map(({ code, place }) => `${place?.line} ${code}`)).toEqual([
    "2 PROFILE_SYNTAX",
    "3 PROFILE_VALUE",
    "4 PROFILE_VALUE",
    "4 PROFILE_SYNTAX",
    "4 PROFILE_SYNTAX",
    "5 PROFILE_SYNTAX",
  ]);
});

it("takes a byte order mark for what it is", async () => {
  const { profile, diagnostics } = await parseProfile(
    '\uFEFF{"version": 1, "name": "vm", "cpus": {"boot": 1}, "memory": {"size": "1G"}}',
    "p.json",
  );
  expect(diagnostics).toEqual([]);
  expect(profile?.name).toBe("vm");
});

it("survives a text that is nested very deeply", async () => {
  const { diagnostics } = await parseProfile("[".repeat(100_000), "p.json");
  expect(diagnostics.map(({ code }) => code)).toEqual(["PROFILE_SYNTAX"]);
});
