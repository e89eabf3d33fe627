import { unwritable } from "../../import/libvirt/index.ts";

/** An element as it is written: attributes that are undefined, and elements that are, are left out. */
export interface Element {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Text, or elements. */
  readonly inside?: string | number | readonly (Element | undefined)[];
}

export function element(
  name: string,
  attributes: NonNullable<Element["attributes"]> = {},
  ...inside: readonly (Element | undefined)[]
): Element {
  return { name, attributes, inside };
}

export function textElement(
  name: string,
  inside: string | number,
  attributes: Element["attributes"] = {},
): Element {
  return { name, attributes, inside };
}

/** The lines of a document, two spaces deeper with each element. */
export function xmlLines({ name, attributes = {}, inside = [] }: Element, depth = 0): string[] {
  const indent = "  ".repeat(depth);
  const given = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}='${escaped(String(value))}'`)
    .join("");
  if (typeof inside !== "object") {
    return [`${indent}<${name}${given}>${escaped(String(inside))}</${name}>`];
  }
  const children = inside.flatMap((child) => (child ? xmlLines(child, depth + 1) : []));
  if (children.length === 0) return [`${indent}<${name}${given}/>`];
  return [`${indent}<${name}${given}>`, ...children, `${indent}</${name}>`];
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** What no document may have becomes a sign for "unreadable". @see https://www.w3.org/TR/xml/#charsets */
function escaped(text: string): string {
  return text
    .replace(new RegExp(unwritable, "g"), "\ufffd")
    .replace(/[&<>'\t\n\r]/g, (sign) => entities[sign] ?? sign);
}

/** A size: in KiB, as libvirt has it, where that is a whole number. */
export function bytes(name: string, size: number, attributes: Element["attributes"] = {}): Element {
  return size % 1024 === 0
    ? textElement(name, size / 1024, { ...attributes, unit: "KiB" })
    : textElement(name, size, { ...attributes, unit: "b" });
}
