import { refusal } from "../errors/index.ts";
import type { Properties, PropertyValue } from "../plan/index.ts";
import { idRanges } from "../units/index.ts";

/**
 * A value inside an option: a comma is doubled, everything else stands for itself. Line breaks and NUL are refused,
 * since no option needs one and every log would be misread.
 * @see https://www.qemu.org/docs/master/system/invocation.html (comma in values)
 * @throws QlaunchError ARGV_BYTE
 */
export function escapeValue(text: string): string {
  return checkBytes(text).replaceAll(",", ",,");
}

/** @throws QlaunchError ARGV_BYTE */
export function checkBytes(text: string): string {
  const bad = /[\0\n\r]/.exec(text);
  if (!bad) return text;
  throw refusal("ARGV_BYTE", {
    found: `${JSON.stringify(bad[0])} in ${JSON.stringify(text)}`,
    needed: "text without line breaks and NUL",
    fix: "take it out of the profile",
  });
}

/** `key=value` pairs joined by commas. Lists repeat their key; numbers are spelled as ranges. */
export function formatProperties(properties: Properties): string[] {
  return Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : formatValues(value).map((text) => `${key}=${text}`),
  );
}

function formatValues(value: PropertyValue): string[] {
  if (typeof value === "boolean") return [value ? "on" : "off"];
  if (typeof value === "number") return [String(value)];
  if (typeof value === "string") return [escapeValue(value)];
  if (isNumbers(value))
    return idRanges(value).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return value.map(escapeValue);
}

function isNumbers(value: readonly number[] | readonly string[]): value is readonly number[] {
  return value.every((entry) => typeof entry === "number");
}
