import fc from "fast-check";
import { expect, it, test } from "vitest";
import { hasDuplicateKeys } from "../../src/profile/duplicates.ts";

it.each([
  ["{}", false],
  ['{"a":1,"b":1}', false],
  ['{"a":1,"a":1}', true],
  ['{"a":{"a":1}}', false],
  ['{"a":{"b":1},"c":{"b":1}}', false],
  ['{"a":{"b":1,"b":2}}', true],
  ['[{"a":1},{"a":1}]', false],
  ['{"a":["a","a"],"b":"a"}', false],
  ['{"a":[{}],"a":1}', true],
  ['{"a":"{\\"a\\":1,","b":"\\\\"}', false],
  ['{"a":1,"\\u0061":1}', true],
])("%s: %s", (json, expected) => {
  expect(hasDuplicateKeys(json)).toBe(expected);
});

test("what JSON.stringify writes never has any", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => !hasDuplicateKeys(JSON.stringify(value, null, 1))));
});
