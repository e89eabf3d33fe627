/** An element with its attributes, the elements in it, and the text directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const token =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*>|<(?<close>\/)?(?<name>[A-Za-z_][\w.-]*)(?<attributes>(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/)?>|(?<text>[^<]+)/y;

const namedCharacters: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

/**
 * The part of XML that programs write for programs: elements, attributes, text. No entities of a document's own.
 * @returns the outermost element, or what is wrong, for people
 * @see https://www.w3.org/TR/xml/
 */
export function parseXml(source: string): XmlElement | string {
  const outside = { name: "", attributes: {}, children: [] as XmlElement[], text: "" };
  const way = [outside];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const start = token.lastIndex;
    const groups = token.exec(source)?.groups;
    if (groups === undefined) return `line ${lineAt(source, start)}: "${source.slice(start, start + 20)}"`;
    const open = way.at(-1) ?? outside;
    const { name, close, empty, attributes = "", text } = groups;
    if (text !== undefined) {
      if (open === outside && text.trim() !== "" && text !== "\ufeff")
        return `line ${lineAt(source, start)}: text`;
      open.text += decoded(text);
    } else if (close !== undefined) {
      if (open === outside || open.name !== name) return `line ${lineAt(source, start)}: </${name}>`;
      way.pop();
    } else if (name !== undefined) {
      const element = { name, attributes: parseAttributes(attributes), children: [], text: "" };
      open.children.push(element);
      if (empty === undefined) way.push(element);
    }
  }
  const [root] = outside.children;
  if (way.length > 1) return `no </${way.at(-1)?.name}>`;
  return root !== undefined && outside.children.length === 1 ? root : "no single outermost element";
}

function parseAttributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)];
  return Object.fromEntries(
    pairs.map(([, name = "", double, single]) => [name, decoded(double ?? single ?? "")]),
  );
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return namedCharacters[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
